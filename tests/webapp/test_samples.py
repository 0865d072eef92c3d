"""Samples on their way to a screen: of each stretch of time the least and the greatest, for who shows them."""

from array import array
from itertools import pairwise

import pytest

from piio_schemas.blocks import Block
from piio_webapp.samples import thinned
from tests.webapp.bench import POINTS, Bench

MS = 1_000_000


def test_of_each_stretch_the_least_and_the_greatest_sample_are_told() -> None:
    block = Block(10_000 * MS, MS, array("f", [n % 50 for n in range(200)]))
    assert list(thinned(block, 0.1)) == [(10.0, 0, 49), (10.1, 0, 49)]


def test_a_stretch_begins_at_a_multiple_of_its_length_wherever_a_block_begins() -> None:
    block = Block(10_070 * MS, 10 * MS, array("d", [1, 2, 3, 4, 5]))
    assert [(round(at, 6), low, high) for at, low, high in thinned(block, 0.1)] == [(10.0, 1, 3), (10.1, 4, 5)]


def test_samples_farther_apart_than_a_stretch_are_told_one_by_one() -> None:
    block = Block(1_000 * MS, 100 * MS, array("H", [7, 8, 9]))
    assert [(low, high) for _, low, high in thinned(block, 0.001)] == [(7, 7), (8, 8), (9, 9)]


def test_what_is_no_number_is_left_out() -> None:
    nan = float("nan")
    block = Block(0, 10 * MS, array("f", [nan, 3, nan, 1] + [nan] * 10))
    assert list(thinned(block, 0.1)) == [(0.0, 1, 3)]


@pytest.mark.parametrize("width", [0.05, 1.0])
def test_a_page_that_shows_samples_is_told_them_and_others_are_not(bench: Bench, width: float) -> None:
    bench.configure({"points": {"fast": {**POINTS["tank"], "sample_rate": 500}}})
    other, page = bench.open("vera"), bench.stage.visitor("otto").page()
    page.say("look", {"agent": bench.name, "samples": {"fast": width}})

    def told() -> list[list[float]]:
        return [each for frame in page.frames for each in frame.get("samples", {}).get("fast", ())]

    page.wait(lambda: told() and told()[-1][0] - told()[0][0] > 2 * width, "samples")
    page.wait(lambda: any(low < high for _, low, high in told()), "a stretch in which it moved")
    times = [time for time, _, _ in told()]
    assert all(before <= after for before, after in pairwise(times))
    assert all(time / width == pytest.approx(round(time / width)) for time in times)
    other.hear(0.1)
    assert not any("samples" in frame for frame in other.frames)
    bench.configure({"points": {"fast": None}})
    for each in (page, other):
        each.close()
