"""Up to ten thousand agents at one broker and one bridge: memory, CPU and how long until all is good, as a curve.

`python -m tests.benchmarks.crowd_of_agents [COUNT …] [--write]`: each agent has 8 points, sends each once in 10 s, and
a beacon. It prints a table; with `--write` it goes into docs/scaling.md.
"""

import argparse
import datetime
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.benchmarks.crowd import Crowd, Load, Watcher, simulated_capabilities
from tests.benchmarks.figure import Figure, at_most
from tests.benchmarks.machine import this_machine
from tests.benchmarks.page import SCALING, write
from tests.benchmarks.run import Run

CURVE = (10, 100, 1_000, 10_000)

TITLE = "Up to ten thousand agents"

HEAD = (
    "| agents | KB of the bridge for each | MB in all | messages/s | cores | µs a message | all come, s "
    "| bridge starts, s | broker forgets, s | broker: cores | MB |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)

STEADY = 20.0
"""Seconds of which CPU and messages are counted."""

CALM = 5.0
"""Seconds after everything is good until then."""

Say = Callable[[str], None]


class Work(Struct, frozen=True):
    """What was used while nothing but readings and beacons came: cores, megabytes, messages a second."""

    bridge_cores: float
    broker_cores: float
    bridge_memory: float
    broker_memory: float
    messages: float
    growth: float
    """Megabytes that the bridge grew by meanwhile."""


class Found(Struct, frozen=True):
    """What was measured with so many agents; seconds."""

    count: int
    arrival: float
    """Until all points are good when all agents come at once."""
    start: float
    """The same from the bridge's start, with all agents there."""
    storm: float
    """The same from the end of a broker that has forgotten everything."""
    empty: float
    """Megabytes of a bridge without boards."""
    work: Work

    @property
    def memory(self) -> float:
        """Kilobytes of the bridge for each agent."""
        return (self.work.bridge_memory - self.empty) * 1024 / self.count

    @property
    def cost(self) -> float:
        """Microseconds of the bridge's CPU for each message."""
        return self.work.bridge_cores / self.work.messages * 1e6


def main() -> None:
    """Measure the curve and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="*", default=CURVE, metavar="COUNT")
    parser.add_argument("--write", action="store_true", help="put the table into docs/scaling.md")
    parser.add_argument("--steady", type=float, default=STEADY, metavar="SECONDS", help="default %(default)s")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    capabilities = simulated_capabilities()
    machine = this_machine()  # as it is before we burden it
    found = [look_at(count, capabilities, arguments.steady, _say) for count in arguments.counts]
    text = "\n".join(
        [f"On {datetime.date.today().isoformat()}, one run each: {machine}.", "", *HEAD, *map(_row, found)]
    )
    print(text)
    if arguments.write:
        write("crowd_of_agents", text, SCALING)


def measure(run: Run) -> list[Figure]:
    """What ten thousand agents cost the bridge; once, for it takes minutes."""
    found = look_at(CURVE[-1], simulated_capabilities(), STEADY, run.say)
    return [
        Figure(what="bridge, for each of 10,000 agents", number=found.memory, unit="KB", reach=at_most(40)),
        Figure(what="bridge, at 9,000 messages/s of 10,000 agents", number=found.work.bridge_cores, unit="of a core",
               reach=at_most(1.0)),
        Figure(what="bridge starts with 10,000 agents → all points good", number=found.start, unit="s"),
        Figure(what="broker forgets 10,000 agents → all points good", number=found.storm, unit="s"),
    ]  # fmt: skip


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _row(found: Found) -> str:
    work = found.work
    cells = (
        f"{found.count:,}", f"{found.memory:.0f}", f"{work.bridge_memory:.0f}", f"{work.messages:,.0f}",
        f"{work.bridge_cores:.2f}", f"{found.cost:.0f}", f"{found.arrival:.1f}", f"{found.start:.1f}",
        f"{found.storm:.1f}", f"{work.broker_cores:.2f}", f"{work.broker_memory:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def look_at(count: int, capabilities: str, steady: float, say: Say) -> Found:
    """Have so many agents come, work for a while, and come again."""
    with tempfile.TemporaryDirectory(prefix="crowd") as folder, Crowd(Path(folder), count) as crowd:
        crowd.start_broker()
        with crowd.watch() as watcher:
            empty = _empty_bridge(crowd, watcher)
            crowd.store_configurations(capabilities)
            crowd.start_bridge()
            watcher.wait_online()
            crowd.start_player()
            arrival = watcher.wait_good(say)
            say(f"all came within {arrival:.1f} s; {crowd.ask_player()}")
            work = _work(crowd, steady)
            say(f"{work}; {crowd.ask_player()}")
            crowd.stop("bridge")
            watcher.wait_offline()
            crowd.start_bridge()
            start = watcher.wait_good(say)
            say(f"a bridge that starts: {start:.1f} s; {crowd.ask_player()}")
            crowd.lose_broker()
            watcher.wait_offline()
            storm = watcher.wait_good(say)
            say(f"a broker that starts: {storm:.1f} s; {crowd.ask_player()}")
        return Found(count, arrival, start, storm, empty, work)


def _empty_bridge(crowd: Crowd, watcher: Watcher) -> float:
    """What a bridge without boards occupies."""
    crowd.start_bridge()
    watcher.wait_online()
    found = crowd.load("bridge").memory
    crowd.stop("bridge")
    watcher.wait_offline()
    return found


def _work(crowd: Crowd, seconds: float) -> Work:
    time.sleep(CALM)
    sent = crowd.ask_player()["sent"]
    before = {name: crowd.load(name) for name in ("bridge", "broker")}
    time.sleep(seconds)
    after = {name: crowd.load(name) for name in ("bridge", "broker")}
    sent = crowd.ask_player()["sent"] - sent
    return Work(
        _cores(before["bridge"], after["bridge"]), _cores(before["broker"], after["broker"]),
        after["bridge"].memory, after["broker"].memory, sent / (after["bridge"].at - before["bridge"].at),
        after["bridge"].memory - before["bridge"].memory,
    )  # fmt: skip


def _cores(before: Load, after: Load) -> float:
    return (after.cpu - before.cpu) / (after.at - before.at)


if __name__ == "__main__":
    main()
