"""A thousand samples a second of an MCP3008 in blocks: from the kernel's spidev to who has subscribed to them."""

from __future__ import annotations

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
RAWS = "block/adc/3"
SPACING = 1_000_000
SECONDS = 10

MEMORY = 60
"""Megabytes."""

FAST = {"interface": "adc", "channel": "3", "sample_rate": 1000, "equation": "x / 4"}


@pytest.fixture(autouse=True)
def converter(bench: Bench, admin: Client) -> Iterator[None]:
    """It works again at the end, and nobody samples it any more."""
    counts(300)
    yield
    (PARAMETERS / "fail").write_text("0")
    since = bench.ear.now()
    assert admin.configure(BOARD, {"points": {"fast": None}}).ok
    bench.ear.wait_for("raw/adc/3", "", since)


def counts(count: int) -> tuple[int, int]:
    """What input 3 gives from now on; tells between which moments of Unix time that was, in nanoseconds."""
    before = time.time_ns()
    (PARAMETERS / "adc").write_text(",".join(["0", "0", "0", str(count), "0", "0", "0", "0"]))
    return before, time.time_ns()


def blocks(bench: Bench, since: int = 0, topic: str = RAWS) -> list[Block]:
    return [read_block(m.payload) for _, m in bench.ear.heard[since:] if m.topic == f"piio/{BOARD}/{topic}"]


def wait_blocks(
    bench: Bench, wanted: Callable[[list[Block]], Any], since: int, within: float = PATIENCE, topic: str = RAWS
) -> list[Block]:
    end = time.monotonic() + within
    while not wanted(found := blocks(bench, since, topic)):
        assert time.monotonic() < end, [(block.t_ns, len(block.samples), block.lost) for block in found[-5:]]
        # Seldom: the guest has one processor for all.
        threading.Event().wait(0.25)
    return found


def assert_accounted_for(found: Sequence[Block]) -> None:
    """From the first sample to the last each turn has its sample at its time, or is counted as lost."""
    assert {block.spacing_ns for block in found} == {SPACING}
    for before, after in pairwise(found):
        turns = (after.t_ns - before.t_ns) / SPACING
        assert turns == pytest.approx(len(before.samples) + after.lost, abs=0.5)


def taken(found: Sequence[Block]) -> tuple[int, int]:
    """How many samples there are and how many were lost between them."""
    return sum(len(block.samples) for block in found), sum(block.lost for block in found[1:])


def seconds(found: Sequence[Block]) -> float:
    return (found[-1].t_ns - found[0].t_ns + len(found[-1].samples) * SPACING) / 1e9 if found else 0.0


def test_a_thousand_samples_a_second_for_ten_seconds_arrive_at_their_times_or_are_counted(
    bench: Bench, admin: Client, record_property: Callable[[str, object], None]
) -> None:
    since = bench.ear.now()
    assert admin.configure(BOARD, {"points": {"fast": FAST}}).ok
    wait_blocks(bench, bool, since)
    threading.Event().wait(SECONDS / 2)
    earliest, latest = counts(700)
    threading.Event().wait(SECONDS / 2)
    found = wait_blocks(bench, lambda found: seconds(found) > SECONDS, since)
    assert_accounted_for(found)
    samples, lost = taken(found)
    assert samples + lost == pytest.approx(seconds(found) * 1000, abs=0.5)
    # Up to the end of the block in which the time was over, of which somebody heard up to a quarter of a second later.
    assert SECONDS * 1000 <= samples + lost <= SECONDS * 1000 + 1000
    turned = [
        (block.t_ns + n * SPACING, value) for block in found for n, value in enumerate(block.samples) if value != 300
    ]
    assert {value for _, value in turned} == {700}
    assert len(turned) + sum(list(block.samples).count(300) for block in found) == samples
    # A sample may be up to its turn's length later than its turn begins, and a lost one has no value.
    gap = max(block.lost for block in found) + 2
    assert earliest - 2 * SPACING <= turned[0][0] <= latest + gap * SPACING
    values = wait_blocks(bench, lambda heard: len(heard) >= len(found), since, topic="values/fast")[: len(found)]
    assert [(b.t_ns, b.lost, list(b.samples)) for b in values] == [
        (b.t_ns, b.lost, [sample / 4 for sample in b.samples]) for b in found
    ]
    memory = int(Path(f"/proc/{bench.agent.pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1000
    assert memory <= MEMORY
    record_property("samples, lost of 10 s", f"{samples}, {lost}")
    record_property("blocks", len(found))
    record_property("agent takes MB", f"{memory:.0f}")


def test_what_a_process_that_stood_still_has_missed_is_counted(bench: Bench, admin: Client) -> None:
    since = bench.ear.now()
    assert admin.configure(BOARD, {"points": {"fast": FAST}}).ok
    wait_blocks(bench, lambda found: seconds(found) > 0.5, since)
    with bench.stopped_agent():
        threading.Event().wait(0.5)
    found = wait_blocks(bench, lambda found: seconds(found) > 2, since)
    assert_accounted_for(found)
    assert max(block.lost for block in found) >= 490


def test_a_converter_that_does_not_answer_makes_its_point_bad_and_what_it_missed_is_counted(
    bench: Bench, admin: Client
) -> None:
    since = bench.ear.now()
    assert admin.configure(BOARD, {"points": {"fast": FAST}}).ok
    wait_blocks(bench, lambda found: seconds(found) > 0.5, since)
    (PARAMETERS / "fail").write_text("1")
    bench.ear.wait("quality/fast", lambda said: said.startswith("bad: ") and "(EIO)" in said, since)
    silent = bench.ear.now()
    threading.Event().wait(1)
    assert not blocks(bench, silent)
    (PARAMETERS / "fail").write_text("0")
    bench.ear.wait_for("quality/fast", "good", silent)
    found = wait_blocks(bench, lambda found: max(block.lost for block in found[:-1]) > 900, since)
    assert_accounted_for(found)


def test_more_than_the_converter_can_give_is_refused_with_what_it_could(admin: Client) -> None:
    told = admin.configure(BOARD, {"points": {"fast": FAST | {"sample_rate": 6800}}})
    assert [(problem.path, problem.message) for problem in told.errors] == [
        ("points.fast.sample_rate",
         "'adc' gives 6,700 readings a second in all, its points ask for 6,800: it could be 6,700 or less here")
    ]  # fmt: skip
    assert admin.configure(BOARD, {"points": {"fast": FAST | {"sample_rate": 6700}}}).ok
