"""Reading and writing the JSON documents of the contract, strictly."""

import json
import re
from typing import Any, TypeVar

import msgspec

LARGEST = 65536
"""Bytes of the largest message; the broker enforces it, and publishers check it before."""

DEEPEST = 32
"""Levels of objects and lists in a document."""

LONGEST_SHOWN = 60
"""Characters of what was got that a message shows."""

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

_FIELD = re.compile(r"Object (?:(contains unknown)|missing required) field `(.+)`")

Model = TypeVar("Model")


class DocumentError(ValueError):
    """A payload that is not the document it should be."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path


def read_json(payload: bytes) -> Any:
    """Parse one JSON text; DocumentError for NaN, duplicate keys, deep nesting, too many bytes or not UTF-8."""
    if len(payload) > LARGEST:
        raise DocumentError(f"{len(payload)} bytes are more than a message may have ({LARGEST})")
    # Few brackets cannot nest deep: hardly a message has to be looked at byte by byte.
    if payload.count(b"{") + payload.count(b"[") > DEEPEST and _depth(payload) > DEEPEST:
        raise DocumentError(f"nested deeper than {DEEPEST} levels")
    try:
        document = json.loads(
            payload.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
        )
        if _SURROGATE.search(payload):
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        return document
    except UnicodeEncodeError as error:
        raise DocumentError("half a surrogate pair is no character") from error
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise DocumentError(f"not JSON: {error}") from error
    except DocumentError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise DocumentError(f"not JSON: {error}") from error


def as_model(document: Any, model: type[Model], path: str = "") -> Model:
    """Convert parsed JSON into a model; DocumentError with the path of what does not fit, below `path`."""
    try:
        return msgspec.convert(document, model)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        where = where.rstrip("`")
        if field := _FIELD.fullmatch(message):
            where, message = f"{where}.{field[2]}", "unknown field" if field[1] else "Expected a value, got none"
        raise DocumentError(message + _got(message, document, where), _joined(path, where)) from error


def decode(payload: bytes, model: type[Model]) -> Model:
    """Read a payload as a model; DocumentError if it is anything else."""
    return as_model(read_json(payload), model)


def encode(document: Any) -> bytes:
    """Write a model (or parsed JSON) as a payload."""
    return msgspec.json.encode(document)


def _got(message: str, document: Any, where: str) -> str:
    """Return what stands at `where` in the document, if the message asks for something else without saying it."""
    if ", got " in message or not message.startswith("Expected"):
        return ""
    found = document
    for key, index in _STEP.findall(where):
        try:
            found = found[int(index)] if index else found[key]
        except (LookupError, TypeError, ValueError):
            return ""
    text = json.dumps(found, ensure_ascii=False)
    return f", got {text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + '…'}"


def _joined(path: str, where: str) -> str:
    return f"{path}{where}" if path else where.removeprefix(".")


def _depth(payload: bytes) -> int:
    """Return how deep brackets nest outside strings: a bound that costs no recursion."""
    deepest = depth = 0
    in_string = escaped = False
    for byte in payload:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DocumentError(f"the key '{twice}' stands twice")
    return found


def _refuse_constant(text: str) -> float:
    raise DocumentError(f"{text} is not a number in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise DocumentError(f"{text} is too large a number")
    return value
