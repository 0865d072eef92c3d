"""Two thousand edges, one every 5 ms: from the world outside to who has subscribed to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, Bench

EDGES = 2000
SPACING = 0.005
TOLERANCE = 0.002

MEMORY = 60
"""Megabytes."""

# Pulls a line up and down on an absolute schedule, and tells between which moments each edge was: the simulated
# interrupt comes with a later tick, and two edges as one if it is held up for so long, so it is waited for.
PULL = """
import json, os, sys, time
pull, consumer, edges, spacing = os.open(sys.argv[1], os.O_WRONLY), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
interrupts = os.open("/proc/interrupts", os.O_RDONLY)
def count():
    lines = os.pread(interrupts, 4096, 0).decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.endswith(consumer))
def now():
    return time.monotonic_ns(), time.time_ns()
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
due, before, pulled = time.monotonic() + 0.1, count(), []
for n in range(edges):
    # What a machine that stood still has missed is not made up for: the rest would come faster than it is meant to.
    due = max(due + spacing, time.monotonic())
    time.sleep(max(0.0, due - time.monotonic()))
    earliest = now()
    os.pwrite(pull, b"pull-down" if n % 2 else b"pull-up", 0)
    while count() - before <= n:
        time.sleep(0.0005)
    pulled.append((earliest, now()))
print(json.dumps(pulled))
"""


class Pulled(NamedTuple):
    """When an edge was, in nanoseconds of CLOCK_MONOTONIC and of Unix time: between these two."""

    earliest: tuple[int, int]
    latest: tuple[int, int]

    def off(self, mono_ns: int, t_ns: int) -> float:
        """By how many seconds the worse of two stamps is outside."""
        stamps = zip(self.earliest, (mono_ns, t_ns), self.latest, strict=True)
        return max(max(earliest - stamp, stamp - latest, 0) for earliest, stamp, latest in stamps) / 1e9


def pull(bench: Bench, line: int) -> list[Pulled]:
    """Make the edges."""
    where = bench.chip.sysfs / f"sim_gpio{line}" / "pull"
    command = [sys.executable, "-c", PULL, str(where), f"piio {line}", str(EDGES), str(SPACING)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [Pulled(tuple(earliest), tuple(latest)) for earliest, latest in json.loads(done.stdout)]


def test_two_thousand_edges_5_ms_apart_arrive_all_in_order_and_with_the_right_times(
    bench: Bench, admin: Client, record_property: Callable[[str, object], None]
) -> None:
    button = {"interface": "gpio", "channel": "5", "events": True}
    assert admin.configure(BOARD, {"points": {"button": button}}).ok
    bench.ear.wait_for("quality/button", "good")
    since = bench.ear.now()
    pulled = pull(bench, 5)
    bench.ear.wait_json("event/gpio/5", lambda event: event["seq"] >= EDGES, since)
    events: list[Any] = [json.loads(payload) for payload in bench.ear.payloads("event/gpio/5", since)]
    assert [event["seq"] for event in events] == list(range(1, EDGES + 1))
    assert {event["lost"] for event in events} == {0}
    assert [event["edge"] for event in events] == ["rising", "falling"] * (EDGES // 2)
    assert max(p.off(e["mono_ns"], e["t_ns"]) for e, p in zip(events, pulled, strict=True)) < TOLERANCE
    assert (bench.ear.last("raw/gpio/5"), bench.chip.value(5)) == ("0", 0)
    assert memory(bench.agent.pid) <= MEMORY
    late = sorted((e["mono_ns"] - p.earliest[0]) / 1e6 for e, p in zip(events, pulled, strict=True))
    record_property("pull to edge p50, p99 in ms", f"{late[EDGES // 2]:.2f}, {late[EDGES * 99 // 100]:.2f}")
    record_property("2,000 edges took s", f"{(pulled[-1].latest[0] - pulled[0].earliest[0]) / 1e9:.2f}")
    record_property("agent takes MB", f"{memory(bench.agent.pid):.0f}")


def memory(pid: int) -> float:
    """What a process takes, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000
