"""Plain numbers: the shortest text that reads back to the same float, and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piio_schemas.numbers import number_from_text, number_to_text


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (1.0, "1"), (0.5, "0.5"), (-3.25, "-3.25"), (1e22, "1e22")])
def test_a_number_is_written_as_people_write_it(value: float, text: str) -> None:
    assert number_to_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_to_itself(value: float) -> None:
    assert number_from_text(number_to_text(value).encode()) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_never_published(value: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        number_to_text(value)


@pytest.mark.parametrize(
    "payload",
    [b"", b" ", b"nan", b"NaN", b"inf", b"-inf", b"infinity", b"1e999", b"1,5", b"0x10", b"1_000", b"1 2", b"ON", b"{}",
     b"\xff", "١".encode(), b"1" * 65, b"--1", b"1e", b".", b"1\x00"],
)  # fmt: skip
def test_anything_else_is_refused_by_name(payload: bytes) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number_from_text(payload)


def test_room_around_a_number_is_allowed() -> None:
    assert number_from_text(b" 1.5\n") == 1.5
