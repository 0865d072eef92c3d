"""Points are computed after those they depend on, and never in a circle."""

import pytest

from piio_bridge.equations import CircleError, EquationError, evaluation_order


def test_a_point_comes_after_all_it_depends_on() -> None:
    order = evaluation_order({"sum": {"left", "right"}, "left": {"tank"}, "right": [], "tank": set()})
    assert sorted(order) == ["left", "right", "sum", "tank"]
    assert order.index("tank") < order.index("left") < order.index("sum")
    assert order.index("right") < order.index("sum")


def test_the_order_does_not_depend_on_the_order_of_the_question() -> None:
    names = [f"p{number}" for number in range(50)]
    assert evaluation_order({name: {"q", "r"} for name in names}) == evaluation_order(
        dict.fromkeys(reversed(names), ("r", "q"))
    )


def test_what_is_not_asked_about_is_not_answered() -> None:
    assert evaluation_order({"a": ["b", "c"], "b": []}) == ["b", "a"]
    assert evaluation_order({}) == []


def test_a_long_chain_is_no_matter() -> None:
    chain = {f"p{number}": [f"p{number + 1}"] for number in range(5000)}
    assert evaluation_order(chain)[-1] == "p0"


@pytest.mark.parametrize(
    ("dependencies", "circle"),
    [
        ({"a": ["a"]}, {"a -> a"}),
        ({"a": ["b"], "b": ["a"]}, {"a -> b -> a", "b -> a -> b"}),
        (
            {"start": ["a"], "a": ["b"], "b": ["c", "free"], "c": ["a"], "free": []},
            {"a -> b -> c -> a", "b -> c -> a -> b", "c -> a -> b -> c"},
        ),
    ],
)
def test_a_circle_is_refused_and_named(dependencies: dict[str, list[str]], circle: set[str]) -> None:
    with pytest.raises(CircleError) as refused:
        evaluation_order(dependencies)
    assert isinstance(refused.value, EquationError)
    assert " -> ".join(refused.value.circle) in circle
    assert any(each in refused.value.message for each in circle)
