"""Equations mean what Python means by them, in float64."""

import math

import numpy as np
import pytest

from piio_bridge.equations import Equation
from tests.bridge.equations.python_functions import PYTHON

LEGITIMATE = [
    ("(float(x) / 1023) * 100", 1023),
    ("(float(x) / 1023) * 100", 512),
    ("x", 4.25),
    ("  x + 1  ", 2),
    ("x*9/5+32", 100),
    ("-7 % 3 + 0*x", 1),
    ("7 // 2 + 0*x", 1),
    ("-7 // 2", 0),
    ("x % 3", -7),
    ("x % -3", 7),
    ("x // 2", -7),
    ("x // 0.1", 1),
    ("x ** 2 ** 0.5", 3),
    ("-x ** 2", 3),
    ("2 ** -x", 3),
    ("(-x) ** 3", 2),
    ("0 ** x", 0),
    ("x - -x", 5),
    ("+x", -3),
    ("1e3 * x + .5 + 5.", 2),
    ("1E-3 + 1e+3 * x", 2),
    ("x < 3", 2),
    ("x <= 3 <= 4 < 5", 3),
    ("1 < x < 3", 3),
    ("3 > x > 1 != 2", 2),
    ("x == 5 != 4", 5),
    ("x != x", 5),
    ("x >= 2 and x <= 4", 3),
    ("x and 0", 3),
    ("not x", 0),
    ("not x > 3", 2),
    ("x > 5 or x < 1", 0.5),
    ("(x > 1) + (x > 2) + (x > 3)", 2.5),
    ("1 if x > 3 else 2 if x > 1 else 3", 2),
    ("100 if x else 0", 0),
    ("where(x > 3, x * 2, x / 2)", 5),
    ("(x > 2) & (x < 4)", 3),
    ("(x > 2) | (x < 1)", 0),
    ("floor(x)", -2.5),
    ("6 & x", 12),
    ("6 | x", 9),
    ("6 ^ x", 9),
    ("~x", 5),
    ("~True + x", 5),
    ("1 << x", 40),
    ("x >> 3", -17),
    ("x << 2 | 1", 3),
    ("x & 255", 1234567),
    ("x >> 63", -1),
    ("-x & 7", 3),
    ("round(x)", 0.5),
    ("round(x)", 1.5),
    ("round(x)", 2.5),
    ("round(x)", -0.5),
    ("ceil(x) - floor(x)", 2.1),
    ("abs(x)", -3.5),
    ("min(x, 2)", 3),
    ("max(x, 2, 7, -1)", 3),
    ("min(max(x, 0), 100)", 130),
    ("sqrt(x)", 2),
    ("x ** 0.5", 2),
    ("exp(x) - expm1(x)", 1.5),
    ("log(x) + log10(x) + log1p(x)", 7),
    ("sin(x) + cos(x) * tan(x)", 0.7),
    ("arcsin(x) + arccos(x) - arctan(x)", 0.3),
    ("arctan2(x, -2)", 1),
    ("sinh(x) + cosh(x) - tanh(x)", 0.7),
    ("2 * pi * x", 3),
    ("True + False + x", 1),
    ("1 / (log(x / (1023 - x)) / 3950 + 1 / 298.15) - 273.15", 600),
    ("4.2e-5 * x ** 3 - 0.013 * x ** 2 + 2.9 * x - 40", 321),
    ("1/x if x else 0", 0),
    ("x != 0 and 1/x > 2", 0),
    ("x == 0 or 1/x > 2", 0),
    ("x < 0 < log(x)", 1),
    ("x < 0 < log(x - 1)", 1),
    ("0 if x < 1 else log(x)", -4),
    ("x and (1/x > 1 or 1/(x-4) > 0)", 0.5),
]

WITHOUT_RESULT = [
    ("1 / x", 0),
    ("1 / exp(1000 + x)", 0),
    ("1 / (1/x)", 0),
    ("log(x) > 0", -1),
    ("log(x) > 0", 0),
    ("x ** 0.5", -1),
    ("sqrt(x)", -1),
    ("0 ** -1 + x", 0),
    ("x ** -1", 0),
    ("x % 0", 1),
    ("x // 0", 1),
    ("9**9**9", 0),
    ("x + 9**9**9", 0),
    ("0 * exp(x)", 1000),
    ("exp(x) * 0 == 0", 1000),
    ("(1/x) ** 0", 0),
    ("1 ** (1/x)", 0),
    ("min(1, 1/x)", 0),
    ("max(1, log(x))", 0),
    ("tanh(1/x)", 0),
    ("arctan(1/x)", 0),
    ("arctan2(1, 1/x)", 0),
    ("exp(-1/x)", 0),
    ("3 % (1/x)", 0),
    ("3 // (1/x)", 0),
    ("not 1/x", 0),
    ("1 if 1/x else 2", 0),
    ("where(1/x, 1, 1)", 0),
    ("1/x and 0", 0),
    ("1/x or 1", 0),
    ("1 < 2 < 1/x", 0),
    ("(1/x > 1) | 1", 0),
    ("x & 1", 0.5),
    ("x & 1", 2.0**53),
    ("~x", 1.5),
    ("1 << x", 64),
    ("1 << x", -1),
    ("1 >> x", 0.5),
    ("arcsin(x)", 2),
    ("log1p(x)", -1),
    ("1e308 * x", 100),
    ("x + 1e308 - 1e308", 1.7e308),
    ("expm1(x) > 0", 1000),
    ("(-8) ** (1/3) + x", 0),
]


@pytest.mark.parametrize(("text", "x"), LEGITIMATE)
def test_an_equation_means_what_python_means(text: str, x: float) -> None:
    number = int(x) if float(x).is_integer() else x  # bit operations of Python's want int
    expected = eval(text.strip(), {"__builtins__": {}, "pi": math.pi, **PYTHON, "x": number})
    assert Equation(text, ["x"]).value(x=x) == pytest.approx(float(expected), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize(("text", "x"), WITHOUT_RESULT)
def test_what_is_not_finite_on_the_way_leaves_no_result(text: str, x: float) -> None:
    assert Equation(text, ["x"]).value(x=x) is None


def test_and_or_not_give_one_or_zero() -> None:
    assert [Equation(text).value(x=5.0) for text in ("x and 7", "x or 7", "0 or x", "not x", "x and 0")] == [
        1,
        1,
        1,
        0,
        0,
    ]


def test_results_beyond_whole_numbers_of_float64_are_still_results() -> None:
    assert Equation("x << 63").value(x=2.0**52 + 1) == float((2**52 + 1) << 63)
    assert Equation("2 ** 64 + x").value(x=1.0) == 2.0**64


def test_rows_are_computed_each_on_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    x = np.array([-1.0, 0.0, 2.0, np.nan, 1e308])
    result = Equation("1 / x if x > 0 else 1 / (x + 1) % 3").evaluate({"x": x})
    np.testing.assert_array_equal(result, [np.nan, 1.0, 0.5, np.nan, 1e-308])
    assert capfd.readouterr().err == ""


def test_no_rows_give_no_rows() -> None:
    assert Equation("min(x, 3) > 2").evaluate({"x": np.array([])}).shape == (0,)


def test_a_result_never_shares_memory_with_its_input() -> None:
    x = np.array([1.0, 2.0])
    for text in ("x", "float(x)", "+x", "x if True else 0"):
        assert not np.shares_memory(Equation(text).evaluate({"x": x}), x)


def test_an_infinite_input_leaves_no_result() -> None:
    for text in (
        "x",
        "1 / x",
        "x > 3",
        "exp(-x)",
        "3 % x",
        "3 // x",
        "min(x, 3)",
        "arctan(x)",
        "x ** 0",
        "1 ** x",
        "x & 1",
    ):
        assert np.isnan(Equation(text).evaluate({"x": np.array([np.inf])}))[0], text


def test_a_missing_input_matters_only_where_it_is_used() -> None:
    names = ["x", "ambient"]
    assert Equation("x + ambient", names).value(x=1.0, ambient=math.nan) is None
    assert Equation("x if x > 0 else ambient", names).value(x=1.0, ambient=math.nan) == 1


def test_an_equation_says_which_variables_it_uses() -> None:
    equation = Equation("ambient + min(ambient, 3) * pi", ["x", "ambient", "pump"])
    assert equation.names == {"ambient"}
    assert equation.text == "ambient + min(ambient, 3) * pi"


def test_several_points_go_into_one_value() -> None:
    equation = Equation("(inlet - outlet) * flow / self", ["inlet", "outlet", "flow", "self"])
    assert equation.value(inlet=60.0, outlet=40.0, flow=2.0, self=4.0) == 10


def test_an_equation_without_variables_gives_as_many_rows_as_asked_for() -> None:
    assert Equation("2 * pi", []).evaluate({}, 3).tolist() == [2 * math.pi] * 3
    assert Equation("3", ["x"]).evaluate({"x": np.zeros(2)}).tolist() == [3.0, 3.0]
    assert Equation("1/0", []).value() is None


def test_a_division_is_a_division_and_no_product_with_a_rounded_factor() -> None:
    x = np.arange(1024.0)
    np.testing.assert_array_equal(Equation("x / 1023").evaluate({"x": x}), x / 1023)


def test_where_is_the_same_as_if() -> None:
    equation = Equation("where(x, 1/x, 0) + where(x > 2, 10, log(x + 1))")
    assert equation.value(x=0.0) == 0
    assert equation.value(x=4.0) == 10.25


def test_negative_zero_is_kept() -> None:
    assert np.signbit(Equation("-x").evaluate({"x": np.array([0.0])}))[0]
    assert Equation("arctan2(x * 0, -0.0)").value(x=1.0) == math.pi


def test_long_equations_are_cut_into_programs_without_a_change_of_meaning() -> None:
    text = "+".join(f"sqrt(x*{number}.5)" for number in range(1, 30))
    expected = sum(math.sqrt(3 * (number + 0.5)) for number in range(1, 30))
    assert Equation(text).value(x=3.0) == pytest.approx(expected, rel=1e-14)
