"""How long a set takes to the line and back, and an input to its value, on a real kernel's device files.

`python -m tests.benchmarks.board_on_a_kernel [--write]`: boots the guest with broker, bridge and agent in it and prints
two tables; `--write` puts them into docs/performance.md. On a machine that has other work besides, `taskset -c 1 chrt
-r 5` before it (as root) keeps that out of the figures.
"""

import argparse
import json
from typing import Any

from tests.benchmarks.page import write
from tests.benchmarks.tries import HEAD, rows
from tests.hardware.conftest import Guest
from tests.hardware.lab import kernel

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
    done = Guest(kernel.find()).run("-m", "tests.benchmarks.board_in_the_guest", str(arguments.tries), timeout=TIMEOUT)
    if done.returncode:
        raise SystemExit(done.stdout)
    text = _tables(json.loads(done.stdout.splitlines()[-1]), arguments.tries)
    print(text)
    if arguments.write:
        write("board_on_a_kernel", text)


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
