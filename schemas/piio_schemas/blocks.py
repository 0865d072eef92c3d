"""Blocks: many samples of one channel in one message, or many edges."""

import struct
import sys
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

HEADER = struct.Struct("<2sBBQIHHI")
"""`PB`, version, sample type, first sample's Unix ns, spacing ns, count, flags, samples lost before; 24 bytes."""

LARGEST_BLOCK = 4096

MOST_LOST = 2**32 - 1
"""The most that the header can say was lost."""

EDGES = 1
"""Bit 0 of `flags`: the block has edges, not samples at even spacing."""

LARGEST_STEP = 2**30 - 1
"""Nanoseconds from one edge of a block to the next; what comes later begins another block."""

_MAGIC = b"PB"
_VERSION = 1
_TYPECODES = "Hhifd"
"""The array type of sample types 0 to 4: u16, i16, i32, f32, f64."""


class BlockError(ValueError):
    """Bytes that are not a block."""


class Block(Struct, frozen=True):
    """Samples of one channel at even spacing; `samples` is an array of type H, h, i, f or d.

    `t_ns` is the first sample's Unix time, `lost` how many were missed between the block before and this one.
    """

    t_ns: int
    spacing_ns: int
    samples: array  # type: ignore[type-arg]  # the element type is the array's own
    flags: int = 0
    lost: int = 0

    @property
    def has_edges(self) -> bool:
        """Whether `edges_of` reads it: its samples are no raws then."""
        return bool(self.flags & EDGES)

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


class BlockEdge(NamedTuple):
    """One edge of a block."""

    t_ns: int
    """Unix time in nanoseconds."""
    level: int
    """The raw after the edge, 0 or 1."""


def capacity(typecode: str) -> int:
    """Return how many samples of an array's type fit into a block."""
    return (LARGEST_BLOCK - HEADER.size) // array(typecode).itemsize


def edge_block(edges: Sequence[BlockEdge], lost: int = 0) -> Block:
    """Make a block of edges in their order, at most `capacity("i")`, none before or LARGEST_STEP after its neighbour.

    Each is one i32: the nanoseconds since the edge before, times two, plus the level; the first has 0 nanoseconds, for
    `t_ns` is its time. `lost` counts those lost since the block or event before, those within this block included.
    """
    times = [edge.t_ns for edge in edges]
    steps = [0, *(after - before for before, after in pairwise(times))]
    if any(not 0 <= step <= LARGEST_STEP for step in steps):
        raise BlockError(f"the edges of a block are 0 to {LARGEST_STEP} ns apart: begin another one")
    packed = array("i", [step << 1 | edge.level for step, edge in zip(steps, edges, strict=True)])
    return Block(times[0], 0, packed, EDGES, lost)


def edges_of(block: Block) -> list[BlockEdge]:
    """Return the edges of a block in their order; BlockError if it has samples."""
    if not block.has_edges:
        raise BlockError("this block has samples, not edges")
    at, edges = block.t_ns, []
    for packed in block.samples:
        at += packed >> 1
        edges.append(BlockEdge(at, packed & 1))
    return edges


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
