"""`piio set`: ask a point for a value, and say truly what became of it."""

import argparse
import os
import threading
import time
from pathlib import Path

from piio.commands import broker_url, terminal
from piio.errors import PiioError
from piio_schemas.commands import DEFAULT_TTL, SetResult

HELP = """Set a point, and wait until the board has done it.

  piio set demo/pump 1
  piio set demo/pump ON --pulse 2
  piio set demo/lamp toggle --json

exit status: 0 only when it is done; 1 when it was refused, expired or failed, or when nobody knows: the reason
is on stderr. It answers within 5 seconds whatever happens, and nothing that is not done by then is done later."""

ANSWER_WITHIN = 4.5
"""Seconds since the process began; what is left of five is for Python to end."""

LONGEST_START = 10.0

LEAST = 2.5
"""Seconds that are tried for even where Python took long to begin."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("point", metavar="BOARD/POINT")
    parser.add_argument("value", metavar="VALUE", help="a number, ON, OFF or toggle")
    parser.add_argument("--pulse", type=float, metavar="S", help="return to the value before after S seconds")
    parser.add_argument(
        "--ttl", type=float, default=DEFAULT_TTL, metavar="S",
        help="seconds it may be old when it acts, 1.5 to 5 (default 2); shortened where 5 s in all are over sooner",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Set it; the outcome is told in time, whatever a network does to us."""
    budget = max(ANSWER_WITHIN - _running_for(), LEAST)
    end = time.monotonic() + budget
    outcome: list[SetResult | Exception] = []
    worker = threading.Thread(target=_work, args=(args, end, outcome), daemon=True)
    worker.start()
    worker.join(budget + 0.1)
    told = outcome[0] if outcome else SetResult(id="", status="failed", reason="outcome unknown: no answer in time")
    if isinstance(told, Exception):
        told = SetResult(id="", status="failed", reason=str(told))
    if args.json:
        terminal.print_json(told)
    if not told.done:
        terminal.complain("set", f"{args.point} {told.status}: {told.reason or 'no reason was given'}")
    elif not args.json:
        print(f"{args.point} done")
    return 0 if told.done else 1


def _work(args: argparse.Namespace, end: float, outcome: list[SetResult | Exception]) -> None:
    try:
        client = broker_url.connect(args, timeout=2.0)
        left = end - time.monotonic()
        outcome.append(client.set(args.point, _value(args.value), pulse=args.pulse, ttl=args.ttl, timeout=left))
        client.close()
    except (PiioError, ValueError) as error:
        outcome.append(error)


def _running_for() -> float:
    """Return the seconds since this process began: a slow machine spends some of five before it comes here."""
    try:
        after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    began = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    running = time.clock_gettime(time.CLOCK_BOOTTIME) - began
    return running if 0 <= running < LONGEST_START else 0.0  # else we are called by a program that runs anyway


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
