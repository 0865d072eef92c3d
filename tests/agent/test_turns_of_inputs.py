"""When an input is read the next time."""

import pytest

from piio_agent.channel import ChannelId
from piio_agent.input import Input, Rates

BEGAN = 1.5


def due_after(now: float, period: float, opened: float = 2.0) -> float:
    """When an input that was read by now is due."""
    each = Input(ChannelId("adc", "0"), {}, Rates(period, period), opened)
    each.turn(now, period, BEGAN)
    return each.due


def test_inputs_with_one_period_are_due_together_whenever_they_were_opened() -> None:
    assert due_after(2.1, 2.0, opened=2.0) == due_after(3.2, 2.0, opened=3.1) == BEGAN + 2


def test_turns_that_a_slow_read_missed_are_left_out() -> None:
    assert due_after(8.1, 2.0) == BEGAN + 8


@pytest.mark.parametrize("period", [0.001, 0.1, 0.3, 7.7])
def test_the_next_turn_is_never_now_however_numbers_are_rounded(period: float) -> None:
    now = BEGAN
    for _ in range(5000):
        due = due_after(now, period)
        assert now < due < now + 1.5 * period
        now = due
