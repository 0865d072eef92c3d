"""How long a set takes to a real kernel's line, and a change of a line to its value.

Broker, bridge, agent and the process of its outputs run in a kernel booted for it, on its one processor, whose timers
tick every millisecond. Prints a table for docs/performance.md.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import piio
from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, PORT, Bench
from tests.hardware.guest.installation.conftest import POINTS
from tests.hardware.guest.sim_chip import SimChip

ROUNDS = 200
TIMEOUT = 200
LOOK = 0.0005
"""Seconds between two looks at the line; the kernel's timers make it about a millisecond."""

Times = dict[str, list[float]]


def main() -> None:
    """Boot the kernel and measure in it."""
    from tests.hardware.conftest import Guest
    from tests.hardware.lab import kernel

    done = Guest(kernel.find()).run("-m", __spec__.name, "--inside", timeout=TIMEOUT)
    sys.stdout.write(done.stdout)
    sys.exit(done.returncode)


def measure() -> None:
    """Measure, in the guest."""
    with _installation() as (bench, admin):
        taken: Times = {}
        for n in range(ROUNDS):
            _set_seen_by_messages(bench, taken)
            _set_seen_at_the_line(bench, taken)
            _set_of_the_client(bench, admin, taken)
            _pull(bench, n, taken)
            time.sleep(0.01)  # one thing at a time: it is latency that is measured
        _print(taken)
        for name, pid in (("agent", bench.agent.pid), ("process of its outputs", bench.holder)):
            print(f"\nMost memory of the {name}: {_peak(pid):.0f} MB")


@contextmanager
def _installation() -> Iterator[tuple[Bench, Client]]:
    with ExitStack() as stack:
        other, chip = SimChip("another-chip", 4), SimChip("pinctrl-bcm2711")
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        bench = Bench(chip, Path(folder))
        stack.callback(other.remove)
        stack.callback(chip.remove)
        stack.callback(bench.stop)
        bench.ear.wait("config", bool, within=20)
        admin = stack.enter_context(piio.connect(f"mqtt://anna@127.0.0.1:{PORT}"))
        assert admin.configure(BOARD, {"points": POINTS}).ok
        for point in POINTS:
            bench.ear.wait_for(f"quality/{point}", "good")
        yield bench, admin


def _set_seen_by_messages(bench: Bench, taken: Times) -> None:
    ear, level = bench.ear, str(1 - bench.chip.value(17))
    since, begun = ear.now(), time.monotonic()
    ear.say("value/pump/set", level)
    found = {
        "set to raw": ear.wait_for("raw/gpio/17", level, since),
        "set to value": ear.wait_for("value/pump", level, since),
        "set to result": ear.wait_timed("value/pump/result", bool, since),
    }
    assert json.loads(found["set to result"][1].payload)["status"] == "done"
    for way, (at, _) in found.items():
        taken.setdefault(way, []).append(at - begun)


def _set_seen_at_the_line(bench: Bench, taken: Times) -> None:
    ear, level = bench.ear, 1 - bench.chip.value(17)
    since, begun = ear.now(), time.monotonic()
    ear.say("value/pump/set", str(level))
    while bench.chip.value(17) != level:
        time.sleep(LOOK)
    taken.setdefault("set to line", []).append(time.monotonic() - begun)
    ear.wait_timed("value/pump/result", bool, since)


def _set_of_the_client(bench: Bench, admin: Client, taken: Times) -> None:
    begun = time.monotonic()
    assert admin.set(f"{BOARD}/pump", 1 - bench.chip.value(17)).done
    taken.setdefault("set of the Python client, until it returns", []).append(time.monotonic() - begun)


def _pull(bench: Bench, n: int, taken: Times) -> None:
    level = (n + 1) % 2
    since, begun = bench.ear.now(), time.monotonic()
    bench.chip.pull(6, level)
    at, _ = bench.ear.wait_for("value/door", str(level), since)
    taken.setdefault("pull to value", []).append(at - begun)


def _print(taken: Times) -> None:
    show: Callable[[float], str] = "{:.1f}".format
    print("| in the kernel, ms | p50 | p95 | p99 |\n|---|---|---|---|")
    for way in ("set to line", "set to raw", "set to value", "set to result", *list(taken)):
        seconds = taken.pop(way, None)
        if seconds:
            found = statistics.quantiles([each * 1000 for each in seconds], n=100)
            print(f"| {way} | {show(found[49])} | {show(found[94])} | {show(found[98])} |")


def _peak(pid: int) -> float:
    """The most memory that a process ever had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    measure() if "--inside" in sys.argv else main()
