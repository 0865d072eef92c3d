"""`piio history`: what a point was."""

import argparse
import time

from msgspec import to_builtins

from piio.commands import broker_url, terminal
from piio.commands.age import read_age
from piio.reading import Bucket
from piio_schemas.numbers import number_to_text

HELP = """Print what a point was: time, least, greatest and mean value of each stretch of time.

  piio history demo/tank
  piio history demo/tank --since 1d --buckets 24 --json

exit status: 0, or 1 when there is no broker, no bridge or no such point."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("point", metavar="BOARD/POINT")
    parser.add_argument(
        "--since", type=read_age, default="1h", metavar="AGE", help="90s, 15m, 1h (default), 7d, 2w ago"
    )
    parser.add_argument("--until", type=read_age, default="0s", metavar="AGE", help="likewise (default: now)")
    parser.add_argument("--buckets", type=_buckets, default=60, metavar="N", help="stretches, 1 to 1000 (default 60)")
    parser.add_argument("--json", action="store_true", help="print [[time, min, max, mean], …], times in Unix seconds")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print the buckets."""
    now = time.time()
    with broker_url.connect(args) as client:
        buckets = client.history(args.point, now - args.since, now - args.until, args.buckets)
    if args.json:
        terminal.print_json(to_builtins(buckets))
    else:
        for bucket in buckets:
            print(_line(bucket))
        if not buckets:
            terminal.complain("history", f"nothing is kept of {args.point} for that time")
    return 0


def _line(bucket: Bucket) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(bucket.time))
    return "  ".join([when, *(number_to_text(number) for number in (bucket.min, bucket.max, bucket.mean))])


def _buckets(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 1000")
    return int(text)
