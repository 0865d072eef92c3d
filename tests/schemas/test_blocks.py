"""Blocks carry many samples in one message."""

from array import array

import pytest

from piio_schemas.blocks import HEADER, LARGEST_BLOCK, Block, BlockError, read_block


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
