"""What the simulated board records, what breaks on demand, and what its parts share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from piio_agent.clock import ManualClock
from piio_agent.interfaces import Context, InterfaceError
from piio_agent.interfaces.door import make, settings_of
from piio_agent.interfaces.simulated import Simulated


def take(gpio: Simulated, channel: str, direction: Any = "input", first: float | None = None, **settings: Any) -> None:
    gpio.open(channel, direction, settings_of(gpio, settings), first)


def levels(gpio: Simulated, channel: str) -> list[tuple[int | None, str]]:
    return [(e.level, e.by) for e in gpio.board.trace.changes(channel)]


def test_contention_is_noted_once_for_as_long_as_it_lasts(gpio: Simulated) -> None:
    take(gpio, "17", "output", first=1, bias="pull-up")
    for raw in (0, 0, None, 0):
        gpio.simulate("17", raw)
    events = [e.event for e in gpio.board.trace.entries() if e.event == "contention"]
    assert events == ["contention"] * 2


def test_one_part_that_leaves_does_not_disturb_the_other(gpio: Simulated, context: Context, clock: ManualClock) -> None:
    adc = make("simulated", {"part": "adc"}, context)
    take(gpio, "5", debounce_period=1)
    gpio.simulate("5", 1)
    adc.shut()
    clock.advance(2)
    assert gpio.read("5") == 1


def test_a_fault_answers_with_its_reason_until_it_is_healed(gpio: Simulated) -> None:
    gpio.board.fault("gpio", "17", "is held by 'pump-daemon'")
    with pytest.raises(InterfaceError, match="GPIO17: is held by 'pump-daemon'"):
        take(gpio, "17", "output", first=0)
    gpio.board.heal("gpio", "17")
    take(gpio, "17", "output", first=0)


def test_faults_may_come_from_the_agents_file(context: Context) -> None:
    with make("simulated", {"faults": {"17": "burnt"}}, context) as gpio, pytest.raises(InterfaceError, match="burnt"):
        gpio.open("17", "input", settings_of(gpio, {}))


def test_the_trace_file_tells_the_whole_story(gpio: Simulated, clock: ManualClock, tmp_path: Path) -> None:
    take(gpio, "17", "output", first=0)
    clock.advance(1.5)
    gpio.write("17", 1)
    assert len((tmp_path / "trace.jsonl").read_text().splitlines()) == 2
    gpio.shut()
    story = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    start = round(1_700_000_000 * 1e9)
    where = {"interface": "gpio", "channel": "17"}
    later = {"t_ns": start + 1_500_000_000, "mono_ns": 1_500_000_000, **where}
    assert story == [
        {"t_ns": start, "mono_ns": 0, **where, "event": "open", "level": 0, "direction": "output"},
        {**later, "level": 1, "by": "output"},
        {**later, "event": "close", "direction": "output"},
        {**later, "level": 0, "by": "released"},
    ]


def test_a_long_trace_begins_a_new_file_and_keeps_the_one_before(
    gpio: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("piio_agent.interfaces.simulation.trace.ROTATE_AT", 1000)
    for n in range(25):
        gpio.simulate("5", (n + 1) % 2)
    files = [(tmp_path / name).read_text() for name in ("trace.1.jsonl", "trace.jsonl")]
    told = [json.loads(line)["level"] for text in files for line in text.splitlines()]
    assert told == [(n + 1) % 2 for n in range(25)][-len(told) :]
    assert 1000 <= len(files[0]) < 1200
    assert 0 < len(files[1]) < 1000


def test_a_trace_that_cannot_be_written_does_not_stop_the_board(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    gpio = make("simulated", {}, Context(folder=tmp_path / "file" / "folder"))
    assert isinstance(gpio, Simulated)
    with gpio:
        take(gpio, "17", "output", first=1)
        assert levels(gpio, "17") == [(1, "output")]
