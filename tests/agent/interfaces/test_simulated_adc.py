"""What the simulated analog inputs give, through a bit-exact MCP3008."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from piio_agent.clock import ManualClock
from piio_agent.interfaces import Context, Interface, InterfaceError, NoSettings
from piio_agent.interfaces.door import make
from piio_agent.interfaces.errors import ChannelClosed, NotSupported, ValueRefused
from piio_agent.interfaces.simulated import Simulated
from piio_schemas.configuration import InputPoint


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def adc(clock: ManualClock) -> Iterator[Interface]:
    with make("simulated", {"part": "adc"}, Context(clock=clock)) as interface:
        for channel in interface.channels():
            interface.open(channel, "input", NoSettings())
        yield interface


def test_adc_0_moves_by_itself_smoothly_over_its_range(adc: Interface, clock: ManualClock) -> None:
    seen = []
    for _ in range(1300):
        seen.append(adc.read("0"))
        clock.advance(0.01)
    assert (min(seen), max(seen)) == (1, 1022)
    assert max(abs(b - a) for a, b in pairwise(seen)) <= 4


def test_who_reads_it_as_seldom_as_an_input_that_nobody_looks_at_sees_it_move(
    adc: Interface, clock: ManualClock
) -> None:
    seen = set()
    for _ in range(6):
        seen.add(adc.read("0"))
        clock.advance(InputPoint().idle_period)
    assert len(seen) == 6


def test_it_stops_when_the_outside_takes_it_and_moves_again_when_let_go(adc: Interface, clock: ManualClock) -> None:
    for value in (0, 512, 1023):
        adc.simulate("0", value)
        clock.advance(1.3)
        assert adc.read("0") == value
    adc.simulate("0", None)
    before = adc.read("0")
    clock.advance(1)
    assert adc.read("0") != before


def test_the_other_inputs_rest_at_values_of_their_own(adc: Interface, clock: ManualClock) -> None:
    before = [adc.read(str(n)) for n in range(1, 8)]
    clock.advance(3)
    assert [adc.read(str(n)) for n in range(1, 8)] == before == [128, 256, 384, 512, 640, 768, 896]


@pytest.mark.parametrize("raw", [-1, 1024, 2.5, float("nan"), float("inf")])
def test_what_ten_bits_cannot_say_is_refused(adc: Interface, raw: float) -> None:
    with pytest.raises(ValueRefused, match="whole counts from 0 to 1023"):
        adc.simulate("3", raw)


def test_an_analog_input_is_no_output_and_must_be_open(adc: Interface) -> None:
    with pytest.raises(NotSupported, match="ADC 1 is an input only"):
        adc.open("1", "output", NoSettings(), 0)
    adc.close("1")
    with pytest.raises(ChannelClosed, match="ADC 1 is not open"):
        adc.read("1")


def test_a_broken_input_gives_its_reason(adc: Interface) -> None:
    assert isinstance(adc, Simulated)
    adc.board.fault("adc", "4", "the converter does not answer")
    with pytest.raises(InterfaceError, match="ADC 4: the converter does not answer"):
        adc.read("4")
    adc.board.heal("adc", "4")
    assert adc.read("4") == 512


def test_both_parts_of_one_agent_share_the_board_and_one_may_go_before_the_other() -> None:
    context = Context()
    gpio = make("simulated", {"part": "gpio"}, context)
    adc = make("simulated", {"part": "adc"}, context)
    assert isinstance(gpio, Simulated)
    assert isinstance(adc, Simulated)
    assert gpio.board is adc.board
    assert make("simulated", {}, Context()).options.part == "gpio"
    adc.shut()
    gpio.open("17", "output", gpio.Settings(), 1)
    assert gpio.read("17") == 1
    gpio.shut()
