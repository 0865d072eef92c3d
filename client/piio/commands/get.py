"""`piio get`: what a point is now, for scripts."""

import argparse

from piio.commands import broker_url, terminal

NOT_GOOD = 3

HELP = """Print what a point is now, as a plain number.

  piio get demo/tank
  piio get demo/tank --json

exit status: 0 when the quality is good; 3 when it is stale or bad: the last value is printed all the same,
the reason on stderr; 1 when there is no broker or no such point."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("point", metavar="BOARD/POINT")
    parser.add_argument("--json", action="store_true", help="print value, quality and unit as one JSON document")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print the value; say on stderr what is wrong with it."""
    with broker_url.connect(args) as client:
        reading = client.read(args.point)
    if args.json:
        terminal.print_json(reading)
    elif reading.value is not None:
        print(terminal.value(reading))
    if not reading.good:
        terminal.complain("get", f"{reading.name} is {reading.quality}")
        return NOT_GOOD
    return 0
