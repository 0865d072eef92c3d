"""What agents, people, interfaces, channels and points may be called."""

import keyword
import re

from piio_schemas.language import CONSTANTS, FUNCTIONS

RESERVED = frozenset({"bridge", "webapp", "reply", "dashboard"})
"""Names in the place of an agent that topics use for something else."""

NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
CHANNEL = r"[A-Za-z0-9_-]{1,32}"
POINT = r"[a-z][a-z0-9_]{0,62}"

_NAME = re.compile(NAME)
_CHANNEL = re.compile(CHANNEL)
_POINT = re.compile(POINT)


class IdentifierError(ValueError):
    """A name that cannot be used; the message says what would be."""


def check_identity(name: str) -> str:
    """Return the name of an agent or a person, or raise IdentifierError."""
    check_interface(name)
    if name in RESERVED:
        raise IdentifierError(f"'{name}' is reserved: choose another name")
    return name


def check_interface(name: str) -> str:
    """Return the name of an interface (or a display), or raise IdentifierError."""
    if not _NAME.fullmatch(name):
        raise IdentifierError(
            f"'{name}' is not a name: 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter or a digit"
        )
    return name


def check_channel(channel: str) -> str:
    """Return the id of a channel, or raise IdentifierError."""
    if not _CHANNEL.fullmatch(channel):
        raise IdentifierError(f"'{channel}' is not a channel: 1 to 32 of A-Z, a-z, 0-9, '-' and '_'")
    return channel


def check_point(name: str) -> str:
    """Return the name of a point, or raise IdentifierError: a point is a variable in other points' equations."""
    if not _POINT.fullmatch(name):
        raise IdentifierError(f"'{name}' is not a point's name: 1 to 63 of a-z, 0-9 and '_', beginning with a letter")
    if name == "x" or keyword.iskeyword(name) or name in FUNCTIONS or name in CONSTANTS:
        raise IdentifierError(f"'{name}' means something else in equations: choose another name")
    return name
