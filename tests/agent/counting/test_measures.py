"""Frequency, period and duty of a line, on an exact clock."""

from __future__ import annotations

import pytest

from piio_agent.clock import NS
from piio_agent.counting.tally import Tally
from piio_agent.counting.window import MARKS, Window
from piio_agent.interfaces import Edge
from piio_agent.interfaces.errors import NoReading
from tests.agent.counting.conftest import Bench


@pytest.fixture
def measured(bench: Bench) -> Bench:
    """Line 17 with all that can be measured of it over a second."""
    bench.watch("17")
    for measure in ("frequency", "period", "duty"):
        bench.open(f"17-{measure}")
    return bench


def read(bench: Bench, measure: str) -> float:
    return bench.gpio.read(f"17-{measure}")


@pytest.mark.parametrize(("high", "low"), [(0.0625, 0.1875), (0.25, 0.25), (0.5, 0.125), (0.001, 0.003)])
def test_a_steady_signal_is_measured_exactly(measured: Bench, high: float, low: float) -> None:
    measured.pulse("17", high, low, times=round(1.5 / (high + low)))
    assert read(measured, "frequency") == pytest.approx(1 / (high + low), rel=1e-12)
    assert read(measured, "period") == pytest.approx(high + low, rel=1e-12)
    assert read(measured, "duty") == pytest.approx(high / (high + low), rel=1e-12)


def test_a_signal_slower_than_the_window_is_measured_by_its_last_period(measured: Bench) -> None:
    measured.pulse("17", 3, 7, times=2)
    assert (read(measured, "frequency"), read(measured, "period"), read(measured, "duty")) == (0.1, 10, 0.3)


def test_what_was_before_the_window_does_not_count(measured: Bench) -> None:
    measured.pulse("17", 0.05, 0.05, times=20)
    measured.pulse("17", 0.01, 0.03, times=30)
    assert read(measured, "frequency") == pytest.approx(25)
    assert read(measured, "duty") == pytest.approx(0.25)


def test_an_uneven_signal_has_its_mean(measured: Bench) -> None:
    for low in (0.01, 0.03, 0.05, 0.02, 0.04):
        measured.pulse("17", 0.01, low)
    measured.move("17", 1)
    assert read(measured, "frequency") == pytest.approx(5 / 0.2)


def test_a_line_without_pulses_has_no_frequency_no_period_and_the_duty_of_its_level(measured: Bench) -> None:
    for level in (1, 0):
        measured.move("17", level)
        measured.clock.advance(0.1)
        assert (read(measured, "frequency"), read(measured, "duty")) == (0, level)
        with pytest.raises(NoReading, match=r"GPIO17 \(pin 11\) is at rest"):
            read(measured, "period")


def test_a_line_that_is_high_when_it_is_opened_has_a_duty_of_1(bench: Bench) -> None:
    bench.gpio.simulate("17", 1)
    bench.open("17-duty")
    assert bench.gpio.read("17-duty") == 1


def test_a_signal_that_stops_decays_and_is_0_after_the_window(measured: Bench) -> None:
    measured.pulse("17", 0.01, 0.01, times=100)
    before = read(measured, "frequency")
    assert before == pytest.approx(50)
    seen = []
    for _ in range(20):
        measured.clock.advance(0.1)
        seen.append(read(measured, "frequency"))
    assert seen == sorted(seen, reverse=True)
    assert seen[4] == pytest.approx(25, rel=0.1)
    assert min(seen[:9]) > 0
    assert max(seen[10:]) == 0
    assert read(measured, "duty") == 0


def test_a_slow_signal_that_stops_is_0_after_twice_its_period(measured: Bench) -> None:
    measured.pulse("17", 5, 5, times=2)
    measured.move("17", 1)
    measured.clock.advance(10)
    assert read(measured, "frequency") == 0.1
    measured.clock.advance(9)
    assert 0.05 < read(measured, "frequency") < 0.1
    measured.clock.advance(2)
    assert (read(measured, "frequency"), read(measured, "duty")) == (0, 1)


def test_a_signal_that_comes_back_is_measured_anew(measured: Bench) -> None:
    measured.pulse("17", 0.01, 0.01, times=10)
    measured.clock.advance(3600)
    measured.pulse("17", 0.01, 0.03, times=3)
    assert read(measured, "frequency") == pytest.approx(25)


def test_each_channel_has_its_own_window(bench: Bench) -> None:
    bench.watch("17")
    bench.open("17-frequency", window=0.2)
    bench.open("17-period", window=10)
    bench.pulse("17", 0.1, 0.1, times=10)
    bench.pulse("17", 0.01, 0.01, times=20)
    assert read(bench, "frequency") == pytest.approx(50)
    assert read(bench, "period") == pytest.approx((9 * 0.2 + 0.2 + 19 * 0.02) / 29)


def test_a_fast_signal_and_a_long_window_take_no_more_memory() -> None:
    tally, window = Tally(), Window(60)
    tally.windows.append(window)
    for n in range(50_000):
        tally.take(Edge("rising" if n % 2 else "falling", 0, n * 1_000_000, n + 1))
    assert len(window._marks) <= MARKS + 3
    assert window.frequency(50 * NS) == pytest.approx(500)
    assert window.duty(50 * NS) == 0.5


def test_periods_in_which_edges_were_lost_do_not_count() -> None:
    tally, window = Tally(), Window(1)
    tally.windows.append(window)
    seq = 0
    for n in range(200):
        seq += 1
        lost = 37 if n % 40 == 39 else 0
        tally.take(Edge("falling" if n % 2 else "rising", 0, n * 5_000_000, seq + lost, lost))
        seq += lost
    assert window.frequency(200 * 5_000_000) == pytest.approx(100)
    assert window.duty(200 * 5_000_000) == pytest.approx(0.5)
    assert tally.counts["lost"].value == 5 * 37


def test_a_signal_of_which_no_period_is_whole_has_no_frequency_and_takes_no_memory() -> None:
    tally, window = Tally(), Window(1)
    tally.windows.append(window)
    for n in range(2000):
        tally.take(Edge("rising", 0, n * 5_000_000, 2 * n + 2, lost=1))
    assert window.frequency(2000 * 5_000_000) == 0
    assert len(window._marks) == 1
