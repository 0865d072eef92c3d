"""How long a set takes to the line and back, and an input to its value, on a real kernel's device files.

`python -m tests.benchmarks.board_on_a_kernel [--write]`: boots the guest with broker, bridge and agent in it and prints
two tables; `--write` puts them into docs/performance.md. On a machine that has other work besides, `taskset -c 1 chrt
-r 5` before it (as root) keeps that out of the figures.
"""

import argparse
import json
from typing import Any

from tests.benchmarks.figure import Figure, at_most
from tests.benchmarks.page import write
from tests.benchmarks.run import Run
from tests.benchmarks.tries import HEAD, rows, share_of
from tests.hardware.conftest import Guest
from tests.hardware.lab import kernel

TITLE = "On a real kernel's device files"

TRIES = 300

TIMEOUT = 240

TITLES = {
    "it returns": "it returns",
    "line": "the line",
    "raw": "raw topic",
    "value": "value topic",
    "result": "result",
}


def main() -> None:
    """Boot, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--tries", type=int, default=TRIES)
    arguments = parser.parse_args()
    text = _tables(_found(arguments.tries), arguments.tries)
    print(text)
    if arguments.write:
        write("board_on_a_kernel", text)


def measure(run: Run) -> list[Figure]:
    """How long a set takes to a line and an input to its value, in one guest of one processor."""
    run.say(f"{TRIES} sets and pulls in the guest")
    found = _found(TRIES)
    ways = {"plain set → the line": ("plain set", "line"), "pull → value topic": ("pull", "value")}
    return [
        *(
            Figure(what=f"{what}, p{share}", number=share_of(found["delays"][kind][way], share) * 1000, unit="ms")
            for what, (kind, way) in ways.items()
            for share in (50, 99)
        ),
        Figure(what="memory of an agent with six interfaces", number=sum(found["memory"].values()), unit="MB",
               reach=at_most(60)),
    ]  # fmt: skip


def _found(tries: int) -> dict[str, Any]:
    done = Guest(kernel.find()).run("-m", "tests.benchmarks.board_in_the_guest", str(tries), timeout=TIMEOUT)
    if done.returncode:
        raise RuntimeError(f"nothing was measured in the guest:\n{done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _tables(found: dict[str, Any], tries: int) -> str:
    delays = [
        row
        for title, each in found["delays"].items()
        for row in rows(title, {TITLES.get(way, way): seconds for way, seconds in each.items()})
    ]
    memory = [f"| {process} | {megabytes:.0f} |" for process, megabytes in found["memory"].items()]
    return "\n".join(
        [
            f"{tries} tries each; looking at the line costs whoever drives it {found['note'] * 1e6:.0f} µs.",
            "", *HEAD, *delays, "",
            "| occupied at most with six interfaces in use | MB |", "|---|---|", *memory,
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
