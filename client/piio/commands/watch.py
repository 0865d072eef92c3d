"""`piio watch`: a line for every change."""

import argparse
import time

from msgspec import to_builtins

from piio.client import Client
from piio.commands import broker_url, terminal
from piio.errors import NotKnown
from piio.reading import Reading

HELP = """Print a line for every change of points, the present values first, until Ctrl-C.

  piio watch demo/tank
  piio watch 'demo/+' '+/pump' --json

BOARD/POINT, where + is every one; BOARD alone is every point of it. The boards' inputs are read often meanwhile.
exit status: 0 after --count lines; 1 when there is no broker; 130 after Ctrl-C."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("point", nargs="+", metavar="BOARD/POINT")
    parser.add_argument("--count", type=int, metavar="N", help="end after N lines")
    parser.add_argument("--json", action="store_true", help="print one JSON document a line")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print readings as they come."""
    left = args.count
    with broker_url.connect(args) as client, client.watch(*args.point) as watch:
        _say_what_is_missing(client, args.point)
        while left is None or left > 0:
            reading = next(watch)
            if args.json:
                terminal.print_json({"time": time.time(), "name": reading.name, **to_builtins(reading)})
            else:
                print(_line(reading), flush=True)
            left = None if left is None else left - 1
    return 0


def _say_what_is_missing(client: Client, names: list[str]) -> None:
    """A point may still come, so it is waited for; but a misspelt one would be waited for in vain."""
    for name in names:
        try:
            if "+" not in name:
                client.read(name) if "/" in name else client.board(name)
        except NotKnown as error:
            terminal.complain("watch", f"{error}; waiting for it")


def _line(reading: Reading) -> str:
    clock = terminal.painted(time.strftime("%H:%M:%S"), terminal.DIM)
    told = "" if reading.good else f"  {terminal.quality(reading)}"
    return f"{clock} {reading.name} {terminal.with_unit(reading)}{told}"
