"""Blocks carry many samples in one message."""

from array import array

import pytest

from piio_schemas.blocks import (
    EDGES,
    HEADER,
    LARGEST_BLOCK,
    LARGEST_STEP,
    Block,
    BlockEdge,
    BlockError,
    capacity,
    edge_block,
    edges_of,
    read_block,
)


@pytest.mark.parametrize(
    "samples",
    [array("H", [0, 65535]), array("h", [-32768, 32767]), array("i", [-(2**31)]), array("f", [0.5]), array("d", [0.1])],
    ids=lambda samples: samples.typecode,
)
def test_a_block_comes_back_as_it_was(samples: "array[float]") -> None:
    block = Block(t_ns=1795253400_000000001, spacing_ns=1000, samples=samples, flags=3, lost=7)
    assert read_block(block.to_bytes()) == block


def test_the_header_is_24_bytes_little_endian() -> None:
    assert HEADER.size == 24
    payload = Block(t_ns=1, spacing_ns=2, samples=array("H", [0x0102])).to_bytes()
    assert payload[:4] == b"PB\x01\x00" and payload[4:12] == (1).to_bytes(8, "little")
    assert payload[24:] == b"\x02\x01"


@pytest.mark.parametrize(
    "payload",
    [b"", b"PB", b"XX" + bytes(22), b"PB\x02" + bytes(21), b"PB\x01\x09" + bytes(20), b"PB\x01\x00" + bytes(21),
     bytes(LARGEST_BLOCK + 1)],
)  # fmt: skip
def test_anything_else_is_no_block(payload: bytes) -> None:
    with pytest.raises(BlockError):
        read_block(payload)


def test_a_block_over_4_kb_is_never_sent() -> None:
    with pytest.raises(BlockError, match="fewer"):
        Block(0, 1, array("H", [0] * 2040)).to_bytes()


@pytest.mark.parametrize("typecode", list("Hhifd"))
def test_as_many_samples_fit_as_are_told(typecode: str) -> None:
    fitting = array(typecode, [0] * capacity(typecode))
    assert len(Block(0, 1, fitting).to_bytes()) <= LARGEST_BLOCK
    with pytest.raises(BlockError):
        Block(0, 1, fitting + array(typecode, [0])).to_bytes()


def test_edges_come_back_with_their_times_and_levels() -> None:
    begin = 1795253400_000000001
    edges = [BlockEdge(begin, 1), BlockEdge(begin, 0), BlockEdge(begin + 250_000, 1), BlockEdge(begin + 2**30 - 1, 0)]
    block = read_block(edge_block(edges, lost=2).to_bytes())
    assert (block.flags & EDGES, block.spacing_ns, block.lost, block.t_ns) == (1, 0, 2, begin)
    assert edges_of(block) == edges
    # As the contract writes it for other languages.
    assert list(block.samples) == [1, 0, 250_000 << 1 | 1, (2**30 - 1 - 250_000) << 1]


def test_an_edge_too_far_from_the_one_before_does_not_go_into_its_block() -> None:
    assert edge_block([BlockEdge(0, 1), BlockEdge(LARGEST_STEP, 0)]).samples[1] == 2**31 - 2
    for step in (LARGEST_STEP + 1, -1):
        with pytest.raises(BlockError, match="begin another"):
            edge_block([BlockEdge(5, 1), BlockEdge(5 + step, 0)])


def test_samples_are_not_read_as_edges() -> None:
    with pytest.raises(BlockError, match="samples"):
        edges_of(Block(0, 1, array("i", [1])))
