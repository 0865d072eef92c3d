"""`python -m tests.benchmarks`, which is what `./piio bench` runs: every benchmark, and a table of each."""

import argparse
import os
import signal
import sys

from tests.benchmarks import bridge_only
from tests.benchmarks.figure import Figure
from tests.benchmarks.registry import BENCHMARKS, benchmark, chosen
from tests.benchmarks.run import Run
from tests.benchmarks.table import table

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Measure what is asked for and print the table; 130 when told to stop before, with nothing left running."""
    arguments = _arguments()
    for number in STOPS:
        signal.signal(number, _stop)
    run = Run(arguments.rounds, arguments.peers, _say)
    try:
        if arguments.bridge_only:
            bridge_only.serve()
        for name in arguments.only:
            print(f"\n{benchmark(name).TITLE}\n\n{table(_measured(name, run))}", flush=True)
    except KeyboardInterrupt:
        _say("")
        return 0 if arguments.bridge_only else 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="piio bench", description="Measure PiIO on this machine.")
    parser.add_argument("--peers", action="store_true", help="measure programs of others as well: Node-RED and mqtt-io")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often (default %(default)s)")
    parser.add_argument(
        "--bridge-only", action="store_true", help="measure nothing: start a bridge for others to drive"
    )
    arguments = parser.parse_args()
    try:
        arguments.only = chosen(arguments.only)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _stop(*_: object) -> None:
    """Go, once: what was started is being ended then, which nobody is to break off."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _measured(name: str, run: Run) -> list[Figure]:
    _say(benchmark(name).TITLE)
    found = benchmark(name).measure(run)
    _say("")
    return found


def _say(text: str) -> None:
    """Say how far it is: on a terminal in one line that is written over, elsewhere line by line."""
    if sys.stderr.isatty():
        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
