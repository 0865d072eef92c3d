"""Of what is sampled fast the history keeps the least and the greatest of each tenth of a second."""

from array import array

import pytest

from piio_bridge.data.blocks import Blocks
from piio_bridge.data.readings import Readings
from piio_schemas.blocks import Block
from piio_schemas.configuration import read_configuration
from tests.bridge.test_blocks import FAST, T_NS
from tests.bridge.test_readings import HandClock, Notebook

T_MS = T_NS // 1_000_000


class Bench:
    """A board called demo whose point `tank` is sampled, and what the history is told."""

    def __init__(self, **settings: object) -> None:
        self._notebook = Notebook()
        readings = Readings("piio", HandClock(), self._notebook)
        readings.configure("demo", read_configuration({"points": {"tank": FAST | {"equation": None} | settings}}))
        self._blocks = Blocks(readings)
        self._spacing_ns = 1_000_000

    def sample(self, after_ms: int, *samples: float) -> None:
        """Take a block of samples a millisecond apart."""
        block = Block(T_NS + after_ms * 1_000_000, self._spacing_ns, array("d", samples))
        self._blocks.take([(b"piio/demo/block/adc/0", block.to_bytes())])

    @property
    def kept(self) -> list[tuple[int, float]]:
        """Milliseconds since the first sample, and values."""
        return [(t_ms - T_MS, value) for _, _, t_ms, value in self._notebook.kept]


def test_the_least_and_the_greatest_are_kept_at_their_times() -> None:
    bench = Bench()
    bench.sample(0, *([5.0] * 30), 9.0, *([5.0] * 30), 1.0, *([5.0] * 60))
    assert bench.kept == [(30, 9), (61, 1)]


def test_short_blocks_are_gathered() -> None:
    bench = Bench()
    for number in range(10):
        bench.sample(number * 25, *(number * 25 + n for n in range(25)))
    assert bench.kept == [(0, 0), (99, 99), (100, 100), (199, 199)]


def test_what_does_not_move_is_one_value() -> None:
    bench = Bench()
    bench.sample(0, *([7.0] * 200))
    assert bench.kept == [(0, 7)]


def test_two_within_a_millisecond_are_both_kept() -> None:
    bench = Bench()
    bench._spacing_ns = 1_000
    bench.sample(0, 4.0, 8.0)
    bench._spacing_ns = 1_000_000
    bench.sample(1, *([5.0] * 100))
    assert bench.kept == [(0, 4), (1, 8)]


def test_what_has_no_value_is_left_out() -> None:
    bench = Bench(equation="1 / x")
    bench.sample(0, 0.0, 4.0, *([2.0] * 120))
    bench.sample(200, *([0.0] * 120))
    bench.sample(400)
    assert bench.kept == [(1, 0.25), (2, 0.5)]


@pytest.mark.parametrize("back", [True, False])
def test_a_clock_that_is_set_back_or_forward_holds_nothing_up(back: bool) -> None:
    bench = Bench()
    bench.sample(0, 1.0, 2.0)
    bench.sample(-9_000_000 if back else 9_000_000, *([5.0] * 120))
    assert (bench.kept[0][1], bench.kept[-1][1]) == ((5, 5) if back else (1, 5))


def test_a_point_without_history_leaves_none() -> None:
    bench = Bench(history=False)
    bench.sample(0, *range(200))
    assert bench.kept == []
