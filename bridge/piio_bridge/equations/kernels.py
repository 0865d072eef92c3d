"""The operations on columns of numbers: small numexpr programs, and numpy where numexpr has no right meaning.

A result that is not finite is infinite or NaN until the equation's end. Arithmetic hands both on by itself; an
operation that could hide them gives NaN instead where an operand that matters is not finite: `v - v` is 0 for what is
finite and NaN for what is not, and taking 0 away changes nothing, not even the sign of a zero.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Any

import numexpr
import numpy as np
import numpy.typing as npt

from piio_schemas.language import MAX_SHIFT

Column = npt.NDArray[np.float64]
Kernel = Callable[..., Column]

WHOLE_LIMIT = 2.0**53
"""From here on a float64 cannot tell neighbouring whole numbers apart, so that bits mean nothing."""

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

PROGRAMS: Mapping[str, tuple[str, int]] = {
    **{word: (f"where(v0 {word} v1, 1.0, 0.0) - ((v0 - v0) + (v1 - v1))", 2) for word in COMPARISONS},
    "and": ("where(v0 != 0.0, where(v1 != 0.0, 1.0, 0.0) - (v1 - v1), 0.0) - (v0 - v0)", 2),
    "or": ("where(v0 != 0.0, 1.0, where(v1 != 0.0, 1.0, 0.0) - (v1 - v1)) - (v0 - v0)", 2),
    "not": ("where(v0 != 0.0, 0.0, 1.0) - (v0 - v0)", 1),
    "where": ("where(v0 != 0.0, v1, v2) - (v0 - v0)", 3),
    "**": ("(v0 ** v1) - ((v0 - v0) + (v1 - v1))", 2),
}
"""The operations that numexpr does; each operand's name occurs several times, so it is always a column of its own."""


@lru_cache(maxsize=4096)
def program(text: str, count: int) -> Kernel:
    """Compile text of our own making over the columns v0, v1, … for numexpr.

    Without numexpr's optimisations: they turn x/1023 into x*(1/1023), which is another number.
    """
    _single_threaded()
    signature = [(f"v{number}", np.float64) for number in range(count)]
    compiled: Kernel = numexpr.NumExpr(text, signature, optimization="none", truediv=True)
    return compiled


def kernel(word: str) -> Kernel:
    """Return the operation of that name."""
    if word in FUNCTIONS:
        return FUNCTIONS[word]
    return program(*PROGRAMS[word])


@lru_cache(maxsize=1)
def _single_threaded() -> None:
    # More threads never helped below 64 k elements, and blocks are far smaller.
    numexpr.set_num_threads(1)


def _quiet(function: Kernel) -> Kernel:
    """Let the function meet NaN and infinity without a warning: they are an answer here."""

    def quiet(*columns: Column) -> Column:
        with np.errstate(all="ignore"):
            return function(*columns)

    return quiet


def _remainder(left: Column, right: Column) -> Column:
    return np.remainder(left, right) - (right - right)


def _floor_divide(left: Column, right: Column) -> Column:
    return np.floor_divide(left, right) - (right - right)


def _least(*columns: Column) -> Column:
    return reduce(np.minimum, columns) - _poison(columns)


def _greatest(*columns: Column) -> Column:
    return reduce(np.maximum, columns) - _poison(columns)


def _poison(columns: tuple[Column, ...]) -> Column:
    return reduce(np.add, [column - column for column in columns])


def _whole(column: Column) -> npt.NDArray[np.bool_]:
    whole: npt.NDArray[np.bool_] = (np.abs(column) < WHOLE_LIMIT) & (np.floor(column) == column)
    return whole


def _integers(column: Column) -> npt.NDArray[np.int64]:
    return np.where(_whole(column), column, 0.0).astype(np.int64)


def _bitwise(operation: Callable[[Any, Any], Any]) -> Kernel:
    def bitwise(left: Column, right: Column) -> Column:
        bits = operation(_integers(left), _integers(right)).astype(np.float64)
        return np.where(_whole(left) & _whole(right), bits, np.nan)

    return bitwise


def _invert(column: Column) -> Column:
    return np.where(_whole(column), -column - 1.0, np.nan)


def _shift(left: Column, count: Column, direction: int) -> Column:
    # Scaling by a power of two is exact in float64, and floor is what >> does below zero.
    possible = _whole(left) & _whole(count) & (count >= 0) & (count <= MAX_SHIFT)
    scaled = np.floor(np.ldexp(left, direction * np.where(possible, count, 0.0).astype(np.int32)))
    return np.where(possible, scaled + 0.0, np.nan)  # whole numbers have no -0


FUNCTIONS: Mapping[str, Kernel] = {
    "%": _quiet(_remainder),
    "//": _quiet(_floor_divide),
    "min": _quiet(_least),
    "max": _quiet(_greatest),
    "&": _quiet(_bitwise(np.bitwise_and)),
    "|": _quiet(_bitwise(np.bitwise_or)),
    "^": _quiet(_bitwise(np.bitwise_xor)),
    "~": _quiet(_invert),
    "<<": _quiet(lambda left, count: _shift(left, count, 1)),
    ">>": _quiet(lambda left, count: _shift(left, count, -1)),
}
"""The operations that numpy does: numexpr has no % and // of Python's meaning, no bits in float64, no such min."""
