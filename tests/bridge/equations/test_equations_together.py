"""Equations that differ in their numbers alone are computed together, to the last bit as each would be alone."""

import numpy as np
import pytest

from piio_bridge.equations import Equation

SHAPES = [
    "x * {a} + {b}",
    "(x - {a}) / {b} ** 2",
    "{a} if x > {b} else -x * {a}",
    "{a} < x <= {b} or x == {a}",
    "round(x * {a}) + exp(-x / {b})",
    "arctan2(x, {a}) + max(x, {b}, {a})",
    "x // {a} + x % {b}",
    "1 / (x - {a}) + {b}",
    "sqrt(x - {a}) * {b}",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_has_the_value_that_it_has_alone(shape: str) -> None:
    numbers = [(0.1 * n + 0.3, n + 2.0) for n in range(20)]
    equations = [Equation(shape.format(a=repr(a), b=repr(b))) for a, b in numbers]
    x = np.random.default_rng(7).normal(3, 10, 60)
    assert len({each.shape for each in equations}) == 1
    together = Equation.evaluate_together(equations, [3] * 20, x)
    alone = np.concatenate([each.evaluate({"x": x[at * 3 : at * 3 + 3]}) for at, each in enumerate(equations)])
    assert together.tobytes() == alone.tobytes()


@pytest.mark.parametrize(("one", "other"), [("x + 1", "x - 1"), ("x ** 2", "x ** 3"), ("x * 2", "2 * x"), ("1", "2")])
def test_what_differs_in_more_than_its_numbers_is_computed_apart(one: str, other: str) -> None:
    assert Equation(one).shape != Equation(other).shape


def test_the_same_text_is_the_same_shape_whatever_other_points_there_are() -> None:
    assert Equation("x * 2", {"x", "tank"}).shape == Equation("x * 2", {"x"}).shape
