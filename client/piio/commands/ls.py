"""`piio ls`: which boards there are, and how their points are."""

import argparse

from msgspec import to_builtins

from piio.commands import broker_url, terminal
from piio.reading import Board

HELP = """List the boards with their points, values and qualities.

  piio ls
  piio ls demo --json

exit status: 0, or 1 when there is no broker or no such board."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("board", nargs="?", metavar="BOARD", help="only this board")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is there."""
    with broker_url.connect(args) as client:
        boards = [client.board(args.board)] if args.board else client.boards()
    if args.json:
        terminal.print_json([_document(board) for board in boards])
    elif not boards:
        terminal.complain("ls", "there are no boards yet: start one with `piio agent --simulate`")
    else:
        for board in boards:
            _print(board)
    return 0


def _document(board: Board) -> dict[str, object]:
    document: dict[str, object] = to_builtins(board)
    return document


def _print(board: Board) -> None:
    colour = terminal.GREEN if board.online else terminal.YELLOW
    model = f"  {board.model}" if board.model else ""
    print(f"{terminal.painted(board.name, terminal.BOLD)}  {terminal.painted(board.status, colour)}{model}")
    names = max((len(name) for name in board.points), default=0)
    values = max((len(terminal.with_unit(point)) for point in board.points.values()), default=0)
    for name, point in board.points.items():
        label = f"  {terminal.painted(point.label, terminal.DIM)}" if point.label else ""
        print(f"  {name:<{names}}  {terminal.with_unit(point):>{values}}  {terminal.quality(point)}{label}")
