"""An output leads from raw to value and from value to raw, and both ways are proved over its range."""

import math

import pytest

from piio_bridge.equations import EquationError, InverseError, OutputEquation, inverse_of

AFFINE = [
    (None, "x"),
    ("x", "x"),
    ("float(x)", "x"),
    ("(float(x) / 1023) * 100", "x * 1023 / 100"),
    ("x * 9 / 5 + 32", "(x - 32) * 5 / 9"),
    ("x * 0.1", "x * 10"),
    ("0.25 * x - 3", "(x + 3) * 4"),
    ("x / 255", "x * 255"),
    ("x * 3", "x / 3"),
    ("1 - x", "1 - x"),
    ("-x", "-x"),
    ("-2 * x", "-x / 2"),
    ("100 - x / 10", "(100 - x) * 10"),
    ("x + x", "x / 2"),
    ("3 * (x - 1) - (2 - x) / 4", "(x + 3.5) * 4 / 13"),
    ("(x + 1) * 2 * (3 - 1)", "(x - 4) / 4"),
    ("x + 5", "x - 5"),
    ("x - 5", "x + 5"),
    ("x * pi", "x / 3.141592653589793"),
    ("(1 / 3) * x + 1 / 3", "(x - 0.3333333333333333) * 3"),
    ("x * 1e-300", "x * 1e+300"),
]


@pytest.mark.parametrize(("equation", "inverse"), AFFINE)
def test_a_straight_line_needs_no_inverse(equation: str | None, inverse: str) -> None:
    output = inverse_of(equation, None, 0, 1023)
    assert output.inverse.text == inverse
    for raw in (0, 1, 511, 1023):
        value = output.to_value(raw)
        assert value is not None
        assert output.to_raw(value) == raw


def test_a_digital_line_switches_to_exactly_zero_and_one() -> None:
    output = inverse_of("x * 24 / 7 + 0.1", None, 0, 1, digital=True)
    assert output.to_raw(0.1) == 0
    assert output.to_raw(24 / 7 + 0.1) == 1


def test_rounding_costs_no_legal_end_of_a_range() -> None:
    output = inverse_of("(x - 0.1) / 0.7 * 3.3", None, 0.1, 0.8)
    assert output.to_raw(3.3) == 0.8
    assert output.to_raw(0.0) == 0.1


def test_a_raw_beyond_the_range_is_neither_clamped_nor_hidden() -> None:
    output = inverse_of("x * 100", None, 0, 1)
    assert output.to_raw(110) == pytest.approx(1.1)
    assert output.to_raw(-1) == pytest.approx(-0.01)
    assert output.to_raw(50.01) == pytest.approx(0.5001)
    assert inverse_of(None, None, 0, 1, digital=True).to_raw(2) == 2
    for no_number in (float("inf"), float("nan")):
        assert inverse_of(None, None, 0, 1).to_raw(no_number) is None
        assert inverse_of(None, None, 0, 1).to_value(no_number) is None


def test_a_curve_needs_an_inverse_and_takes_it() -> None:
    output = inverse_of("x ** 2", "sqrt(x)", 0, 100)
    assert output.to_raw(49) == 7
    assert output.to_raw(-1) is None
    assert output.to_value(3) == 9
    with pytest.raises(InverseError, match="give one"):
        inverse_of("x ** 2", None, 0, 100)


def test_a_given_inverse_goes_before_a_derived_one() -> None:
    assert inverse_of("x * 2", "x * 0.5", 0, 10).inverse.text == "x * 0.5"
    assert inverse_of(None, "x", 0, 10).inverse.text == "x"


@pytest.mark.parametrize(
    ("equation", "inverse", "low", "high", "message"),
    [
        ("x * 2", "x / 3", 0, 10, "does not lead back"),
        ("x ** 2", "sqrt(x)", -1, 1, "does not lead back: the raw -1 "),
        ("x * 2", "x / 2 + 0.001", 0, 10, "does not lead back"),
        ("x ** 3", "log(x)", 0, 1, "no finite raw for the value 0"),
        ("x * 2", "y", 0, 10, "'y' is not known"),
        ("x * 2", "x.real", 0, 10, "attributes"),
        ("x * 2", "", 0, 10, "empty"),
        (None, "x * 2", 0, 10, "does not lead back"),
        ("floor(x / 100)", "x * 100", 0, 1023, "does not lead back"),
        ("exp(x)", None, 0, 1, "give one"),
        ("1 / x", None, 1, 2, "give one"),
        ("x if x > 0 else 0", None, 0, 1, "give one"),
        ("x * (1/0)", None, 0, 1, "give one"),
        ("x" + " * 1e-300" * 20, None, 0, 1, "give one"),
    ],
)
def test_an_inverse_that_does_not_lead_back_is_refused(
    equation: str | None, inverse: str | None, low: float, high: float, message: str
) -> None:
    with pytest.raises(InverseError, match=message):
        inverse_of(equation, inverse, low, high)


@pytest.mark.parametrize(
    ("equation", "inverse", "message"),
    [
        ("5", None, "must depend on x"),
        ("x - x", None, "must depend on x"),
        ("0 * x + 3", None, "must depend on x"),
        ("1 / x", "1 / x", "no finite value at the raw 0"),
        ("ambient * x", None, "'ambient' is not known"),
        ("x +", None, "too early"),
    ],
)
def test_an_equation_that_no_output_can_have_is_refused(equation: str, inverse: str | None, message: str) -> None:
    with pytest.raises(EquationError, match=message) as refused:
        inverse_of(equation, inverse, 0, 10)
    assert not isinstance(refused.value, InverseError)


def test_only_the_two_states_of_a_digital_line_are_tried() -> None:
    output = inverse_of("x ** 2 + 1", "x - 1", 0, 1, digital=True)
    assert (output.to_raw(1), output.to_raw(2)) == (0, 1)
    with pytest.raises(InverseError):
        inverse_of("x ** 2 + 1", "x - 1", 0, 1)


def test_what_is_not_a_number_asks_for_nothing() -> None:
    output = inverse_of("x * 2", None, 0, 1)
    assert isinstance(output, OutputEquation)
    assert output.to_raw(math.nan) is None
    assert output.to_raw(math.inf) is None
    assert output.to_value(math.nan) is None
