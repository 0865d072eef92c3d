"""A thousand samples a second of an MCP3008 in blocks: from the kernel's spidev to who has subscribed to them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from piio.client import Client
from piio_schemas.blocks import Block, read_block
from tests.hardware.guest.installation.bench import BOARD, PATIENCE, Bench

PARAMETERS = Path("/sys/module/hwsim/parameters")
POINT = {"interface": "adc", "sample_rate": 1000, "equation": "x / 4"}
SPACING = 1_000_000
SECONDS = 10
TRIES = 3

MEMORY = 60
"""Megabytes."""


class Samples:
    """What is heard of a point that is sampled, from now on."""

    def __init__(self, bench: Bench, admin: Client, channel: int) -> None:
        self.bench = bench
        self.begin()
        self.raws, self.values = f"block/adc/{channel}", f"values/fast{channel}"
        assert admin.configure(BOARD, {"points": {f"fast{channel}": POINT | {"channel": str(channel)}}}).ok

    def begin(self) -> None:
        """Forget what was heard so far."""
        self.since = self.bench.ear.now()

    def blocks(self, topic: str = "") -> list[Block]:
        """Those heard so far, of raws unless said."""
        full = f"piio/{BOARD}/{topic or self.raws}"
        return [read_block(m.payload) for _, m in self.bench.ear.heard[self.since :] if m.topic == full]

    @property
    def arrivals(self) -> int:
        """How often board or bridge have come back, or said that they are there."""
        statuses = (f"piio/{BOARD}/status", "piio/bridge/status")
        return sum(m.topic in statuses and m.payload == b"online" for _, m in self.bench.ear.heard)

    def wait(self, wanted: Callable[[list[Block]], Any], topic: str = "") -> list[Block]:
        """Wait until the blocks are as wanted."""
        end = time.monotonic() + PATIENCE
        while not (found := self.blocks(topic)) or not wanted(found):
            assert time.monotonic() < end, [(block.t_ns, len(block.samples), block.lost) for block in found[-5:]]
            # Seldom: the guest has one processor for all.
            threading.Event().wait(0.25)
        return found


inputs = itertools.count()
"""Another one for each check: of one that is released a last block may come when the next has begun."""


@pytest.fixture
def fast(bench: Bench, admin: Client) -> Iterator[Samples]:
    """An input which gives 300 counts is sampled a thousand times a second."""
    counts(300)
    samples = Samples(bench, admin, next(inputs))
    yield samples
    (PARAMETERS / "fail").write_text("0")
    assert admin.configure(BOARD, {"points": {samples.values.removeprefix("values/"): None}}).ok


def counts(count: int) -> tuple[int, int]:
    """What all inputs give from now on; tells between which moments of Unix time that was, in nanoseconds."""
    before = time.time_ns()
    (PARAMETERS / "adc").write_text(",".join([str(count)] * 8))
    return before, time.time_ns()


def assert_accounted_for(found: Sequence[Block]) -> None:
    """From the first sample to the last each turn has its sample at its time, or is counted as lost."""
    assert {block.spacing_ns for block in found} == {SPACING}
    for before, after in pairwise(found):
        turns = (after.t_ns - before.t_ns) / SPACING
        assert turns == pytest.approx(len(before.samples) + after.lost, abs=0.5), where(found, before)


def where(found: Sequence[Block], culprit: Block) -> list[tuple[int, int, int]]:
    """The blocks around one: when they began, how many samples they have and how many were lost before."""
    at = found.index(culprit)
    return [(block.t_ns, len(block.samples), block.lost) for block in found[max(0, at - 3) : at + 5]]


def seconds(found: Sequence[Block]) -> float:
    """From the first sample to the last."""
    return (found[-1].t_ns - found[0].t_ns + len(found[-1].samples) * SPACING) / 1e9


def test_a_thousand_samples_a_second_for_ten_seconds_arrive_at_their_times_or_are_counted(
    fast: Samples, record_property: Callable[[str, object], None]
) -> None:
    found, (earliest, latest), broken = on_one_connection(fast)
    # Up to the block in which the time was over.
    found = found[: next(n for n in range(len(found)) if seconds(found[: n + 1]) > SECONDS) + 1]
    assert_accounted_for(found)
    samples, lost = sum(len(block.samples) for block in found), sum(block.lost for block in found[1:])
    assert samples + lost == pytest.approx(seconds(found) * 1000, abs=0.5)
    assert SECONDS * 1000 <= samples + lost <= SECONDS * 1000 + len(found[-1].samples) + found[-1].lost
    assert_turned_once(found, earliest, latest)
    values = fast.wait(lambda heard: heard[-1].t_ns >= found[-1].t_ns, fast.values)
    assert [
        (block.t_ns, block.lost, list(block.samples))
        for block in values
        if found[0].t_ns <= block.t_ns <= found[-1].t_ns
    ] == [(block.t_ns, block.lost, [sample / 4 for sample in block.samples]) for block in found]
    memory = int(Path(f"/proc/{fast.bench.agent.pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1000
    assert memory <= MEMORY
    record_property("samples, lost of 10 s", f"{samples}, {lost}")
    record_property("blocks", len(found))
    record_property("runs before it whose connection broke", broken)
    record_property("agent takes MB", f"{memory:.0f}")


def on_one_connection(fast: Samples) -> tuple[list[Block], tuple[int, int], int]:
    """The blocks of so many seconds, when the count turned, and how often it began again: if the connection broke.

    On a machine that stands still for seconds it does, and nobody can count what was in its socket.
    """
    for broken in range(TRIES):
        counts(300)
        fast.wait(lambda found: set(found[-1].samples) == {300})
        arrivals = fast.arrivals
        fast.begin()
        fast.wait(bool)
        threading.Event().wait(SECONDS / 2)
        turned = counts(700)
        threading.Event().wait(SECONDS / 2)
        found = fast.wait(lambda found: seconds(found) > SECONDS)
        if fast.arrivals == arrivals:
            return found, turned, broken
    raise AssertionError(f"the connection broke in each of {TRIES} runs")


def assert_turned_once(found: Sequence[Block], earliest: int, latest: int) -> None:
    """The samples are 300 and then 700, from between two moments on."""
    samples = [(block.t_ns + n * SPACING, value) for block in found for n, value in enumerate(block.samples)]
    turn = [value for _, value in samples].index(700)
    assert {value for _, value in samples[:turn]} == {300}
    assert {value for _, value in samples[turn:]} == {700}
    # A sample is taken within the spacing after its time, and those that were lost have no value.
    gap = max(block.lost for block in found) + 1
    assert earliest - SPACING <= samples[turn][0] <= latest + gap * SPACING


def test_what_a_process_that_stood_still_has_missed_is_counted(fast: Samples) -> None:
    fast.wait(lambda found: seconds(found) > 0.5)
    with fast.bench.stopped_agent():
        threading.Event().wait(0.5)
    assert_accounted_for(fast.wait(lambda found: max(block.lost for block in found) >= 490))


def test_a_converter_that_does_not_answer_makes_its_point_bad_and_what_it_missed_is_counted(fast: Samples) -> None:
    ear = fast.bench.ear
    fast.wait(lambda found: seconds(found) > 0.5)
    (PARAMETERS / "fail").write_text("1")
    quality = fast.values.replace("values", "quality")
    ear.wait(quality, lambda said: said.startswith("bad: ") and "(EIO)" in said, fast.since)
    threading.Event().wait(0.2)
    silent, before = ear.now(), len(fast.blocks())
    threading.Event().wait(1)
    assert len(fast.blocks()) == before
    (PARAMETERS / "fail").write_text("0")
    ear.wait_for(quality, "good", silent)
    found = fast.wait(lambda found: max(block.lost for block in found[:-1]) > 900)
    assert_accounted_for(found)


def test_more_than_the_converter_can_give_is_refused_with_what_it_could(bench: Bench, admin: Client) -> None:
    told = admin.configure(BOARD, {"points": {"fast": POINT | {"channel": "3", "sample_rate": 6800}}})
    assert [(problem.path, problem.message) for problem in told.errors] == [
        ("points.fast.sample_rate",
         "'adc' gives 6,700 readings a second in all, its points ask for 6,800: it could be 6,700 or less here")
    ]  # fmt: skip
