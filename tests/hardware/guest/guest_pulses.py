"""Pulses, frequency, period and duty of the kernel's own lines."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from piio_agent.clock import SystemClock
from piio_agent.counting.counts import KeptCounts
from piio_agent.counting.interface import Counting
from piio_agent.interfaces import Context, Edge, Interface, InterfaceError
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.errors import ChannelBusy
from tests.hardware.guest.burst import Burst
from tests.hardware.guest.hwsim import PARAMETERS
from tests.hardware.guest.lines import DEADLINE, held_by_a_pump_daemon
from tests.hardware.guest.sim_chip import until

Record = Callable[[str, object], None]


def counted(interface: Interface) -> Counting:
    return Counting("gpio", interface, KeptCounts(None, SystemClock()))


@pytest.fixture
def counting(gpio: Interface) -> Iterator[Counting]:
    with counted(gpio) as interface:
        yield interface


def take(interface: Interface, *channels: str, **settings: Any) -> None:
    for channel in channels:
        interface.open(channel, "input", settings_of(interface, settings, channel))


def watched(interface: Interface, line: str) -> queue.SimpleQueue[Edge]:
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    take(interface, line)
    interface.watch(line, edges.put)
    return edges


class Pulled(NamedTuple):
    """When the kernel saw a change: between these two, for machines are busy."""

    earliest: float
    latest: float


def pulses(chip: Any, edges: queue.SimpleQueue[Edge], times: int, high: float, low: float) -> list[Pulled]:
    """Pull line 5 up and down on an absolute schedule; each edge is waited for, so that no two become one."""
    begin, pulled = time.monotonic(), []
    for n in range(times):
        for level, due in ((1, n * (high + low)), (0, n * (high + low) + high)):
            time.sleep(max(0.0, begin + due - time.monotonic()))
            earliest = time.monotonic()
            chip.pull(5, level)
            edges.get(timeout=DEADLINE)
            pulled.append(Pulled(earliest, time.monotonic()))
    return pulled


def test_every_pulse_is_counted_and_the_line_is_shared(counting: Counting, chip: Any) -> None:
    edges = watched(counting, "5")
    take(counting, "5-pulses", "5-lost", "5-frequency")
    pulses(chip, edges, 100, 0.002, 0.002)
    assert (counting.read("5-pulses"), counting.read("5-lost"), counting.read("5")) == (100, 0, 0)
    assert counting.read("5-frequency") > 0
    counting.close("5")
    chip.pull(5, 1)
    until(lambda: counting.read("5-pulses") == 101)


@pytest.mark.parametrize(("high", "low"), [(0.04, 0.06), (0.03, 0.12)])
def test_frequency_period_and_duty_are_those_of_the_signal(
    counting: Counting, chip: Any, record_property: Record, high: float, low: float
) -> None:
    edges = watched(counting, "5")
    take(counting, "5-frequency", "5-period", "5-duty", window=10)
    pulled = pulses(chip, edges, round(1.2 / (high + low)) + 1, high, low)
    frequency, period, duty = (counting.read(f"5-{measure}") for measure in ("frequency", "period", "duty"))
    record_property(
        f"{1 / (high + low):.3f} Hz, duty {high / (high + low):.3f}", f"{frequency:.3f} Hz, duty {duty:.3f}"
    )
    rose, fell = pulled[::2], pulled[1:-1:2]
    least, most = rose[-1].earliest - rose[0].latest, rose[-1].latest - rose[0].earliest
    assert len(fell) / most <= frequency <= len(fell) / least
    shortest = sum(down.earliest - up.latest for up, down in zip(rose, fell, strict=False))
    longest = sum(down.latest - up.earliest for up, down in zip(rose, fell, strict=False))
    assert shortest / most <= duty <= longest / least
    assert period == pytest.approx(1 / frequency, rel=0.05)


def test_what_the_kernel_dropped_is_counted_as_lost(counting: Counting, burst: Burst) -> None:
    take(counting, "5", "5-pulses", "5-lost")
    burst.happen(counting)
    # Of 42 edges the first and the newest 16 came through, 8 of these rising.
    assert (counting.read("5-lost"), counting.read("5-pulses")) == (42 - 17, 1 + 8)


def test_a_line_that_somebody_else_has_is_not_counted_until_it_is_free(counting: Counting, chip: Any) -> None:
    with held_by_a_pump_daemon(chip, 5), pytest.raises(ChannelBusy, match="GPIO5 is held by 'pump-daemon'"):
        take(counting, "5-pulses")
    take(counting, "5-pulses")
    chip.pull(5, 1)
    until(lambda: counting.read("5-pulses") == 1)


def test_a_count_goes_on_when_its_chip_is_back(chip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("piio_agent.counting.line.CONFIRM", 0)
    with counted(make("gpiod", {"chip": "pinctrl-bcm2711"}, Context())) as counting:
        take(counting, "5-pulses")
        chip.pull(5, 1)
        until(lambda: counting.read("5-pulses") == 1)
        chip.remove()
        with pytest.raises(InterfaceError, match="No such device"):
            until(lambda: counting.read("5-pulses") > 1)
        with pytest.raises(InterfaceError, match="no GPIO chip is called 'pinctrl-bcm2711'"):
            take(counting, "5-pulses")
        back = type(chip)("pinctrl-bcm2711")
        try:
            take(counting, "5-pulses")
            assert counting.read("5-pulses") == 1
            back.pull(5, 1)
            until(lambda: counting.read("5-pulses") == 2)
        finally:
            counting.shut()
            back.remove()


def test_lines_of_an_expander_are_counted_by_its_interrupt(chip: Any, tmp_path: Path) -> None:
    (PARAMETERS / "pcf_in").write_text("255")
    options = {"interrupt_line": "6", "interrupt_chip": "pinctrl-bcm2711"}
    with counted(make("pcf8574", options, Context(folder=tmp_path))) as counting:
        edges = watched(counting, "3")
        take(counting, "3-pulses")
        for n in range(20):
            (PARAMETERS / "pcf_in").write_text(str(0xFF ^ (1 - n % 2) << 3))
            chip.pull(6, 0)
            edges.get(timeout=DEADLINE)
            chip.pull(6, 1)
            until(lambda: chip.value(6) == 1)
            time.sleep(0.005)
        assert counting.read("3-pulses") == 10
