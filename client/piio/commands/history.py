"""`piio history`: what a point was."""

import argparse
import time
from typing import Any

from msgspec import to_builtins

from piio.commands import broker_url, terminal
from piio.commands.age import read_age
from piio.reading import Bucket
from piio_schemas.numbers import number_to_text

HELP = """Print what a point was: time, least, greatest and mean value of each stretch of time.

  piio history demo/tank
  piio history demo/tank --since 1d --buckets 24 --json

Where nobody vouched for the value it says so; in JSON, the time it began and null.

exit status: 0, or 1 when there is no broker, no bridge or no such point."""

Gap = tuple[float, float]
"""Unix seconds from when to when nobody vouched for the value."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("point", metavar="BOARD/POINT")
    parser.add_argument(
        "--since", type=read_age, default="1h", metavar="AGE", help="90s, 15m, 1h (default), 7d, 2w ago"
    )
    parser.add_argument("--until", type=read_age, default="0s", metavar="AGE", help="likewise (default: now)")
    parser.add_argument("--buckets", type=_buckets, default=60, metavar="N", help="stretches, 1 to 1000 (default 60)")
    parser.add_argument("--json", action="store_true", help="print [[time, min, max, mean], …], Unix seconds")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print the buckets."""
    now = time.time()
    with broker_url.connect(args) as client:
        history = client.history(args.point, now - args.since, now - args.until, args.buckets)
    rows: list[Bucket | Gap] = sorted([*history, *history.gaps], key=_begin)
    if args.json:
        terminal.print_json([_row(what) for what in rows])
    else:
        for what in rows:
            print(_line(what) if isinstance(what, Bucket) else _gap(*what))
        if not history:
            terminal.complain("history", f"nothing is kept of {args.point} for that time")
    return 0


def _begin(what: Bucket | Gap) -> float:
    return what.time if isinstance(what, Bucket) else what[0]


def _row(what: Bucket | Gap) -> Any:
    return to_builtins(what) if isinstance(what, Bucket) else [what[0], None, None, None]


def _gap(begin: float, end: float) -> str:
    return f"{_time(begin)}  not known until {_time(end)}"


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _line(bucket: Bucket) -> str:
    when = _time(bucket.time)
    return "  ".join([when, *(number_to_text(number) for number in (bucket.min, bucket.max, bucket.mean))])


def _buckets(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 1000")
    return int(text)
