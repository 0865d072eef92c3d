"""`piio doctor`: what is usable here, what is not, and what to type."""

import argparse
import logging
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points, version
from pathlib import Path

from piio.address import Address
from piio.checkup import Finding, Scope
from piio.client import Client
from piio.commands import broker_url, terminal
from piio.errors import NoAnswer, PiioError
from piio.reading import Board

GROUP = "piio.checkups"

HELP = """Look at what is installed here, at this machine's hardware, and whether a broker and a bridge answer;
say what to type where not. Nothing is switched and no line is taken.

  piio doctor
  piio doctor --config agent.toml
  piio doctor --json

exit status: 0 when nothing is wrong, 1 when something is."""

MARKS = {True: ("ok", terminal.GREEN), False: ("NOT OK", terminal.RED), None: ("-", terminal.DIM)}

OLDEST_PYTHON = (3, 11)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--config", type=Path, metavar="FILE", help="look at each interface of an agent's file, too")
    parser.add_argument(
        "--interfaces-dir", type=Path, metavar="DIR", action="append", default=[], help="a folder with more drivers"
    )
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print every finding."""
    # What a part would log is a finding.
    logging.getLogger().addHandler(logging.NullHandler())
    findings = [_python(), *_parts(Scope(args.config, tuple(args.interfaces_dir))), *_broker(args)]
    if args.json:
        terminal.print_json(findings)
    else:
        for finding in findings:
            _print(finding)
    return 1 if any(finding.ok is False for finding in findings) else 0


def _print(finding: Finding) -> None:
    word, colour = MARKS[finding.ok]
    print(f"{terminal.painted(f'{word:<6}', colour)}  {finding.part:<10}  {finding.message}")
    if finding.remedy:
        print(f"{'':<20}-> {finding.remedy}")


def _python() -> Finding:
    new_enough = sys.version_info[:2] >= OLDEST_PYTHON
    remedy = "" if new_enough else "install Python 3.11 or newer"
    return Finding("python", new_enough, f"Python {platform.python_version()}, piio {version('piio')}", remedy)


def _parts(scope: Scope) -> Iterable[Finding]:
    """Ask each installed part; one that cannot even be imported is a finding too."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            yield from point.load()(scope)
        except ModuleNotFoundError as error:
            yield Finding(point.name, None, f"not installed here ({error.name} is missing)")
        except Exception as error:  # a broken part must not hide what the others find
            yield Finding(point.name, False, f"its checkup failed: {error!r}")


def _broker(args: argparse.Namespace) -> Iterable[Finding]:
    try:
        address = broker_url.address(args)
    except PiioError as error:
        yield Finding("broker", None, f"none is chosen: {error}")
        return
    try:
        with Client(address) as client:
            client.open(5.0)
            yield Finding("broker", True, f"{address} lets us in")
            yield _bridge(client)
            boards = client.boards()
            yield _boards(boards)
            yield from _points(boards)
    except PiioError as error:
        yield Finding("broker", False, str(error), _remedy(address))


def _remedy(address: Address) -> str:
    where = address.host if address.unix else f"{address.host}:{address.port}"
    return f"is it running, is {where} its address, and is the password right? `piio up` starts one"


def _bridge(client: Client) -> Finding:
    try:
        client.hear_bridge()
    except NoAnswer as error:
        remedy = "start it with `piio up` or `piio bridge`, and look at its log"
        return Finding("bridge", False, str(error).partition(":")[0], remedy)
    return Finding("bridge", True, "its beacons are heard")


def _boards(boards: list[Board]) -> Finding:
    offline = [board.name for board in boards if not board.online]
    if not boards:
        return Finding("boards", None, "there are none yet", "start one with `piio agent --simulate`")
    if offline:
        message = f"{len(boards) - len(offline)} online, offline: {', '.join(offline)}"
        return Finding("boards", None, message, "look at the boards, or `piio config NAME --forget` what is gone")
    return Finding("boards", True, f"{len(boards)} online: {', '.join(board.name for board in boards)}")


def _points(boards: list[Board]) -> Iterable[Finding]:
    """What the boards themselves say about points that do not work; the reason has its remedy."""
    for board in boards:
        for point in board.points.values():
            if board.online and point.quality.startswith("bad"):
                yield Finding("points", False, f"{point.name} is {point.quality}")
