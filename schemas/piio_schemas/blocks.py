"""Blocks: many samples of one channel in one message."""

import struct
import sys
from array import array

from msgspec import Struct

HEADER = struct.Struct("<2sBBQIHHI")
"""`PB`, version, sample type, first sample's Unix ns, spacing ns, count, flags, samples lost before; 24 bytes."""

LARGEST_BLOCK = 4096
_MAGIC = b"PB"
_VERSION = 1
_TYPECODES = "Hhifd"
"""The array type of sample types 0 to 4: u16, i16, i32, f32, f64."""


class BlockError(ValueError):
    """Bytes that are not a block."""


class Block(Struct, frozen=True):
    """Samples of one channel at even spacing; `samples` is an array of type H, h, i, f or d."""

    t_ns: int
    spacing_ns: int
    samples: array  # type: ignore[type-arg]  # the element type is the array's own
    flags: int = 0
    lost: int = 0

    def to_bytes(self) -> bytes:
        """Return the block as it goes over the wire; BlockError if it is over 4 kB."""
        kind = _TYPECODES.index(self.samples.typecode)
        header = HEADER.pack(
            _MAGIC, _VERSION, kind, self.t_ns, self.spacing_ns, len(self.samples), self.flags, self.lost
        )
        payload = header + _little_endian(self.samples).tobytes()
        if len(payload) > LARGEST_BLOCK:
            raise BlockError(f"a block of {len(payload)} bytes is over {LARGEST_BLOCK}: send fewer samples")
        return payload


def read_block(payload: bytes) -> Block:
    """Read a block; BlockError says why it is none."""
    if len(payload) < HEADER.size or len(payload) > LARGEST_BLOCK:
        raise BlockError(f"{len(payload)} bytes are not a block")
    magic, version, kind, t_ns, spacing_ns, count, flags, lost = HEADER.unpack_from(payload)
    if magic != _MAGIC or version != _VERSION or kind >= len(_TYPECODES):
        raise BlockError("not a block of version 1")
    samples = array(_TYPECODES[kind])
    body = payload[HEADER.size :]
    if len(body) != count * samples.itemsize:
        raise BlockError(f"{len(body)} bytes are not {count} samples")
    samples.frombytes(body)
    return Block(t_ns, spacing_ns, _little_endian(samples), flags, lost)


def _little_endian(samples: array) -> array:  # type: ignore[type-arg]
    if sys.byteorder == "little":
        return samples
    swapped = samples[:]
    swapped.byteswap()
    return swapped
