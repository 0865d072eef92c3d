"""Counts across a restart of the agent's process, and how they are set."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.counting.conftest import PATIENCE, Bench, until

Make = Callable[..., Bench]


@pytest.fixture(autouse=True)
def _looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("piio_agent.counting.counts.LOOK", 0.01)


def counted(bench: Bench, pulses: int, **settings: object) -> float:
    """Count so many pulses more and return the count."""
    bench.watch("17")
    bench.open("17-pulses", **settings)
    bench.pulse("17", 0.1, 0.1, times=pulses)
    return bench.gpio.read("17-pulses")


def ended(bench: Bench) -> None:
    """Let the agent end in peace."""
    bench.gpio.shut()
    bench.counts.finish(PATIENCE)


def test_a_kept_count_goes_on_exactly_after_the_agent_has_ended(make_bench: Make) -> None:
    before = make_bench()
    assert counted(before, 5, keep=True) == 5
    ended(before)
    assert counted(make_bench(), 2, keep=True) == 7


def test_a_count_that_is_not_kept_begins_from_its_start(make_bench: Make) -> None:
    before = make_bench()
    assert counted(before, 5, start=100) == 105
    ended(before)
    assert counted(make_bench(), 2, start=100) == 102


@pytest.mark.parametrize("keep", [True, False])
def test_another_start_sets_the_count_to_it(bench: Bench, keep: bool) -> None:
    assert counted(bench, 5, keep=keep) == 5
    assert counted(bench, 1, keep=keep, start=4711) == 4712
    assert counted(bench, 1, keep=not keep, start=4711) == 4713
    assert counted(bench, 0, keep=keep) == 0


def test_another_start_that_came_while_the_agent_was_down_counts_too(make_bench: Make) -> None:
    before = make_bench()
    counted(before, 5, keep=True)
    ended(before)
    assert counted(make_bench(), 1, keep=True, start=10) == 11


def test_a_count_survives_its_points_absence(bench: Bench) -> None:
    counted(bench, 5)
    bench.gpio.close("17-pulses")
    bench.pulse("17", 0.1, 0.1, times=3)
    assert counted(bench, 1) == 6


def test_a_count_is_kept_while_another_one_is_saved(make_bench: Make) -> None:
    first = make_bench()
    counted(first, 5, keep=True)
    ended(first)
    second = make_bench()
    second.open("18-lost", keep=True, start=3)
    ended(second)
    assert counted(make_bench(), 0, keep=True) == 5


def test_what_is_kept_no_longer_begins_anew_next_time(make_bench: Make) -> None:
    first = make_bench()
    counted(first, 5, keep=True)
    ended(first)
    second = make_bench()
    assert counted(second, 1) == 1
    ended(second)
    assert counted(make_bench(), 1, keep=True) == 1


def test_a_broken_file_is_moved_aside(make_bench: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "counts.json").write_text('{"gpio/17-pulses": {"start": 0, "val')
    assert counted(make_bench(), 1, keep=True) == 1
    assert "counts.json is broken" in caplog.text
    assert (tmp_path / "counts.broken").exists()


def test_what_comes_is_written_at_once_and_then_every_ten_seconds(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    counted(bench, 1, keep=True)
    until(file.exists)
    written = file.read_text()  # perhaps from before the edge
    counted(bench, 1, keep=True)
    threading.Event().wait(0.2)
    assert file.read_text() == written
    bench.clock.advance(10)
    until(lambda: '"value":2' in file.read_text())


def test_a_file_that_cannot_be_written_is_told_once(
    make_bench: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "counts.new").mkdir()
    bench = make_bench()
    counted(bench, 1, keep=True)
    until(lambda: "counts.json cannot be written, counts will be lost: Is a directory" in caplog.text)
    bench.clock.advance(10)
    threading.Event().wait(0.1)  # it is tried again
    bench.clock.advance(10)
    (tmp_path / "counts.new").rmdir()
    until((tmp_path / "counts.json").exists)
    assert caplog.text.count("counts will be lost") == 1
