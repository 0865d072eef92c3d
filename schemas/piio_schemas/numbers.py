"""Plain numbers: what a raw or value topic carries."""

import math
import re

_NUMBER = re.compile(rb"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?)\s*")
_LONGEST = 64


def number_to_text(value: float) -> str:
    """Return the shortest usual text that reads back to the same float (`1`, `0.5`); ValueError if it is not finite."""
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that can be published")
    text = repr(value)
    return text.removesuffix(".0")


def number_from_text(payload: bytes) -> float:
    """Read a plain number; ValueError for anything else, `nan`, `inf` and the empty payload among it."""
    match = _NUMBER.fullmatch(payload) if len(payload) <= _LONGEST else None
    value = float(match[1]) if match else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{shown(payload)} is not a number")
    return value


def shown(payload: bytes) -> str:
    """Return a payload as a person may be shown it: quoted, readable, at most 40 characters."""
    text = payload[:40].decode("utf-8", "backslashreplace")
    printable = "".join(character if character.isprintable() else "�" for character in text)
    return f"'{printable}'" + ("…" if len(payload) > 40 else "")
