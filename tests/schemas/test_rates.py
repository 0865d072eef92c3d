"""An interface gives so many readings a second: what asks for more is told what it could have."""

from typing import Any

import msgspec

from piio_schemas.configuration import read_configuration
from piio_schemas.rates import excessive_rates
from piio_schemas.states import InterfaceCapability

ANALOG = {"label": "ADC", "directions": ["input"], "kind": "analog", "low": 0, "high": 1023}
LINE = {"label": "line", "directions": ["input"], "kind": "digital", "edges": True}


def interface(fastest: float | None, ok: bool = True) -> InterfaceCapability:
    channels = {str(n): ANALOG for n in range(8)} | {"line": LINE}
    document = {"driver": "x", "title": "X", "ok": ok, "channels": channels, "fastest": fastest}
    return msgspec.convert(document, InterfaceCapability)


def told(fastest: float | None, ok: bool = True, **points: Any) -> dict[str, str]:
    """What is wrong, by path; `3: {…}` of a point is its channel."""
    documents = {name: {"interface": "adc", "channel": name[1:], **point} for name, point in points.items()}
    found = excessive_rates(read_configuration({"points": documents}).points, {"adc": interface(fastest, ok)})
    return {problem.path: problem.message for problems in found.values() for problem in problems}


def test_rates_that_can_be_met_are_no_problem() -> None:
    assert told(10_000, c0={"sample_rate": 5000}, c1={"sample_rate": 4990}, c2={"period": 0.1}) == {}


def test_who_asks_for_too_much_is_told_what_there_is_and_what_could_be() -> None:
    eight = {f"c{n}": {"sample_rate": 2000} for n in range(8)}
    found = told(10_000, **eight)
    assert set(found) == {f"points.c{n}.sample_rate" for n in range(8)}
    assert found["points.c3.sample_rate"] == (
        "'adc' gives 10,000 readings a second in all, its points ask for 16,000: it could be 1,250 or less here"
    )
    assert told(10_000, **{name: {"sample_rate": 1250} for name in eight}) == {}


def test_the_modest_are_not_blamed_for_the_greedy() -> None:
    found = told(10_000, c0={"sample_rate": 12_000}, c1={"sample_rate": 1000}, c2={"period": 0.01})
    assert set(found) == {"points.c0.sample_rate"}
    assert found["points.c0.sample_rate"].endswith("it could be 8,900 or less here")
    assert told(10_000, c0={"sample_rate": 8900}, c1={"sample_rate": 1000}, c2={"period": 0.01}) == {}


def test_a_period_that_is_too_short_is_told_which_is_not() -> None:
    found = told(500, c0={"period": 0.001}, c1={"period": 10, "idle_period": 0.001}, c2={"period": 0.1})
    assert set(found) == {"points.c0.period", "points.c1.idle_period"}
    assert found["points.c0.period"].endswith("its points ask for 2,010: it could be 0.00409 s or more here")
    assert told(500, c0={"period": 0.00409}, c1={"idle_period": 0.00409}, c2={"period": 0.1}) == {}


def test_several_points_of_a_channel_cost_one_reading_at_the_largest_rate() -> None:
    points = {
        name: {"interface": "adc", "channel": "0", **point}
        for name, point in {"a": {"sample_rate": 900}, "b": {"sample_rate": 400}, "c": {"period": 0.001}}.items()
    }
    assert excessive_rates(read_configuration({"points": points}).points, {"adc": interface(900)}) == {}
    found = excessive_rates(read_configuration({"points": points}).points, {"adc": interface(500)})
    assert set(found) == {"a"}


def test_what_reports_its_edges_costs_nothing() -> None:
    assert told(100, cline={"period": 0.001}, c0={"sample_rate": 100}) == {}


def test_an_interface_that_cannot_sample_fast_says_so_and_may_be_polled_as_before() -> None:
    assert told(None, c0={"sample_rate": 10}, c1={"period": 0.001}) == {
        "points.c0.sample_rate": "'adc' cannot sample fast: leave sample_rate out"
    }


def test_what_is_not_there_is_not_judged() -> None:
    assert told(10, ok=False, c0={"sample_rate": 1000}) == {}
    assert told(10, c99={"sample_rate": 1000}) == {}


def test_when_there_is_not_even_one_sample_a_second_none_is_offered() -> None:
    found = told(1.5, c0={"sample_rate": 1}, c1={"sample_rate": 1})
    assert found["points.c0.sample_rate"].endswith("nothing is left here: leave it out")
