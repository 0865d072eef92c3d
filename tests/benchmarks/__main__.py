"""`python -m tests.benchmarks`, which is what `./piio bench` runs: every benchmark, and a table of each."""

import argparse
import os
import signal
import sys
import traceback

from tests.benchmarks import bridge_only
from tests.benchmarks.figure import Figure
from tests.benchmarks.machine import Machine, this_machine
from tests.benchmarks.record import Measured, keep, measured
from tests.benchmarks.registry import BENCHMARKS, benchmark, chosen
from tests.benchmarks.run import Run
from tests.benchmarks.table import table

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Measure what is asked for and print tables; 130 when told to stop before, with nothing left running."""
    arguments = _arguments()
    for number in STOPS:
        signal.signal(number, _stop)
    try:
        if arguments.bridge_only:
            bridge_only.serve()
        return _measure_all(arguments)
    except KeyboardInterrupt:
        _say("")
        return 0 if arguments.bridge_only else 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="piio bench",
        description="Measure PiIO on this machine: medians of rounds, beside what others come to in the same run.",
    )
    parser.add_argument("--peers", action="store_true", help="measure programs of others as well: Node-RED and mqtt-io")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often (default %(default)s)")
    parser.add_argument("--write", action="store_true", help="put what is found into docs/performance.md")
    parser.add_argument("--bridge-only", action="store_true", help="start a bridge for others to drive, and no more")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds: at least one")
    try:
        arguments.only = chosen(arguments.only)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _measure_all(arguments: argparse.Namespace) -> int:
    """Measure one after the other; 1 if one of them failed, which does not keep the others from going on."""
    run, machine = Run(arguments.rounds, arguments.peers, _say), this_machine()  # as it is before we burden it
    found: list[Figure] = []
    failed = []
    for name in arguments.only:
        try:
            each = _measured(name, run, machine)
        except Exception:
            _say("")
            traceback.print_exc()
            failed.append(name)
            continue
        print(f"\n{table({each.title: each.figures})}", flush=True)
        found += each.figures
        if arguments.write:
            keep(name, each)
    judged = [figure.met for figure in found if figure.met is not None]
    print(f"\n{sum(judged)} of {len(judged)} reached" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def _measured(name: str, run: Run, machine: Machine) -> Measured:
    title = benchmark(name).TITLE
    _say(title)
    found = benchmark(name).measure(run)
    _say("")
    return measured(title, run.rounds, machine, found)


def _stop(*_: object) -> None:
    """Go, once: what was started is being ended then, which nobody is to break off."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(text: str) -> None:
    """Say how far it is: on a terminal in one line that is written over, elsewhere line by line."""
    if sys.stderr.isatty():
        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
