"""What boards say of themselves, read so that what many have alike is read once and kept once."""

import sys
from functools import lru_cache

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from piio_schemas.documents import LARGEST, DocumentError, decode, encode
from piio_schemas.states import Applied, AppliedPoint, Capabilities, InterfaceCapability

Interfaces = dict[str, InterfaceCapability]

NONE = b"{}"

FINE = AppliedPoint(ok=True)


class _Outline(Struct):
    """Where the interfaces stand in a document."""

    interfaces: msgspec.Raw


_OUTLINE = msgspec.json.Decoder(_Outline)


class _Interfaces(Struct):
    interfaces: Interfaces


def read_capabilities(payload: bytes) -> Capabilities:
    """Read what a board is and has; DocumentError as from `decode`.

    Ten thousand boards have a few kinds of hardware, whose description is thirty times as large in memory as their
    names: equal interfaces are one object.
    """
    try:
        if len(payload) > LARGEST:
            return decode(payload, Capabilities)
        interfaces = bytes(_OUTLINE.decode(payload).interfaces)
        rest = payload.replace(interfaces, NONE, 1)
        return replace(decode(rest, Capabilities), interfaces=_interfaces(interfaces))
    except (msgspec.MsgspecError, DocumentError):
        return decode(payload, Capabilities)  # which says what is wrong, and where


def read_applied(payload: bytes) -> Applied:
    """Read what a board has in force; DocumentError as from `decode`."""
    applied = decode(payload, Applied)
    points = {sys.intern(name): FINE if point == FINE else point for name, point in applied.points.items()}
    return replace(applied, store=sys.intern(applied.store), points=points)


@lru_cache(maxsize=256)
def _interfaces(document: bytes) -> Interfaces:
    """Read a document's interfaces, as strictly as the whole."""
    found = decode(b'{"interfaces":' + document + b"}", _Interfaces).interfaces
    return {sys.intern(name): _one(encode(interface)) for name, interface in found.items()}


@lru_cache(maxsize=1024)
def _one(document: bytes) -> InterfaceCapability:
    return msgspec.json.decode(document, type=InterfaceCapability)
