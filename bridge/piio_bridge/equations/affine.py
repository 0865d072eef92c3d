"""Equations that are a straight line, and the text of their inverse."""

from dataclasses import dataclass
from fractions import Fraction

from .tree import Constant, Node, Operation, Variable

MAX_BITS = 4096
"""The longest numerator or denominator that is worth exact arithmetic; a float64 has up to 1075 bits."""

READABLE = 10**6
"""Up to here a fraction reads better as p / q than as a decimal number."""

ROUNDING = Fraction(1, 2**52)
"""By this part a number may be off that was rounded to float64, such as 1/3."""


@dataclass(frozen=True, slots=True)
class Line:
    """offset + slope * x, exactly as the decimal numbers of the text mean it."""

    offset: Fraction
    slope: Fraction


def line_of(node: Node) -> Line | None:
    """Return the straight line that a tree over `x` alone describes, `None` where it is none or beyond measure."""
    line = _line_of(node)
    if line is None:
        return None
    parts = (line.offset.numerator, line.offset.denominator, line.slope.numerator, line.slope.denominator)
    return line if all(part.bit_length() <= MAX_BITS for part in parts) else None


def _line_of(node: Node) -> Line | None:
    if isinstance(node, Variable):
        return Line(Fraction(0), Fraction(1))
    if isinstance(node, Constant):
        # The shortest decimal text of the float is what was written; NaN is no number.
        return Line(Fraction(repr(node.value)), Fraction(0)) if node.value == node.value else None
    if not isinstance(node, Operation) or node.word not in ("+", "-", "*", "/", "neg"):
        return None
    lines = [line_of(operand) for operand in node.operands]
    known = [line for line in lines if line is not None]
    return _combined(node.word, known) if len(known) == len(lines) else None


def _combined(word: str, lines: list[Line]) -> Line | None:
    if word == "neg":
        return Line(-lines[0].offset, -lines[0].slope)
    left, right = lines
    if word in ("+", "-"):
        sign = 1 if word == "+" else -1
        return Line(left.offset + sign * right.offset, left.slope + sign * right.slope)
    if word == "*" and left.slope == 0:
        left, right = right, left
    if right.slope != 0 or (word == "/" and right.offset == 0):
        return None
    factor = right.offset if word == "*" else 1 / right.offset
    return Line(left.offset * factor, left.slope * factor)


def inverse_text(line: Line) -> str:
    """Return the equation that leads from the value back to the raw; the slope is not 0."""
    factor = 1 / line.slope
    if line.offset == 0:
        shifted = "x" if factor > 0 else "-x"
    elif factor < 0:
        shifted = f"({_decimal(line.offset)} - x)"
    else:
        shifted = f"(x {'-' if line.offset > 0 else '+'} {_decimal(abs(line.offset))})"
    scaled = shifted + _scale(abs(factor))
    return scaled[1:-1] if scaled == shifted and shifted.startswith("(") else scaled


def _scale(factor: Fraction) -> str:
    tidy = factor.limit_denominator(READABLE)
    if abs(tidy - factor) <= factor * ROUNDING:
        factor = tidy
    numerator, denominator = factor.numerator, factor.denominator
    if max(numerator, denominator) > READABLE:
        return f" * {_decimal(factor)}" if factor > 1 else f" / {_decimal(1 / factor)}"
    times = "" if numerator == 1 else f" * {numerator}"
    return times if denominator == 1 else f"{times} / {denominator}"


def _decimal(number: Fraction) -> str:
    value = float(number)
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
