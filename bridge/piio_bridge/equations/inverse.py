"""An output's equation with its inverse: from raw to value and back."""

import math
from dataclasses import dataclass

import numpy as np

from piio_schemas.language import VARIABLE

from .affine import inverse_text, line_of
from .equation import Equation
from .error import EquationError, InverseError

SAMPLES = 33
"""How many raws over the channel's range must come back from the round trip."""

TOLERANCE = 1e-6
"""How far off a raw may come back, as a part of the range."""

SNAP = 1e-9
"""Rounding in an inverse may miss a whole number by this much, or an end of the range by this part of it."""


@dataclass(frozen=True, slots=True)
class OutputEquation:
    """How an output's raw becomes a value and a value becomes a raw, proved over the channel's range."""

    equation: Equation
    inverse: Equation
    low: float
    high: float

    def to_value(self, raw: float) -> float | None:
        """Return the value that a raw means, `None` where it is not finite."""
        return self.equation.value(x=raw)

    def to_raw(self, value: float) -> float | None:
        """Return the raw that a value asks for, `None` where there is none.

        It may be one that the channel cannot take: whoever writes it refuses it then, and never clamps.
        """
        raw = self.inverse.value(x=value)
        if raw is None:
            return None
        for end in (self.low, self.high):
            if abs(raw - end) <= SNAP * (self.high - self.low):
                return float(end)
        whole = float(round(raw))
        return whole if abs(raw - whole) <= SNAP else raw


def inverse_of(
    equation: str | None, inverse: str | None, low: float, high: float, *, digital: bool = False
) -> OutputEquation:
    """Return the output's equation with its inverse: the given one, or a derived one where the equation is affine.

    No equation is x. Both are tried on raws from `low` to `high` (of a digital channel on these two): each must
    come back. Raises EquationError, and InverseError where the inverse is what has to be changed.
    """
    forward = Equation("x" if equation is None else equation, (VARIABLE,))
    backward = _derived(forward) if inverse is None else _given(inverse)
    output = OutputEquation(forward, backward, low, high)
    _check_round_trip(output, np.array([low, high], np.float64) if digital else np.linspace(low, high, SAMPLES))
    return output


def _given(text: str) -> Equation:
    try:
        return Equation(text, (VARIABLE,))
    except EquationError as error:
        raise InverseError(error.message, error.column) from None


def _derived(equation: Equation) -> Equation:
    line = line_of(equation.tree)
    if line is None:
        raise InverseError(f"no inverse of {equation.text!r} can be derived: give one, from the value x to the raw")
    if line.slope == 0:
        raise EquationError(f"{equation.text!r} is the same for every raw: an output's equation must depend on x")
    try:
        return Equation(inverse_text(line), (VARIABLE,))
    except (EquationError, OverflowError):
        raise InverseError(f"the inverse of {equation.text!r} is beyond all numbers: give one") from None


def _check_round_trip(output: OutputEquation, raws: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    values = output.equation.evaluate({VARIABLE: raws})
    back = output.inverse.evaluate({VARIABLE: values})
    span = output.high - output.low
    for raw, value, returned in zip(raws.tolist(), values.tolist(), back.tolist(), strict=True):
        if not math.isfinite(value):
            raise EquationError(f"{output.equation.text!r} has no finite value at the raw {raw:g}")
        if not math.isfinite(returned):
            raise InverseError(f"the inverse {output.inverse.text!r} has no finite raw for the value {value:g}")
        if abs(returned - raw) > TOLERANCE * span:
            raise InverseError(
                f"the inverse {output.inverse.text!r} does not lead back: the raw {raw:g} is the value {value:g}, "
                f"and that the raw {returned:g}"
            )
