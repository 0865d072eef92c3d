"""`piio stop`: every output of a board, or of all, goes where it is safe, and says so."""

import argparse

from msgspec import to_builtins

from piio.commands import broker_url, terminal
from piio.stopping import Stopped

HELP = """Stop a board, or all of them: every output goes where it is safe, and stays there until a new set.

  piio stop demo
  piio stop --all

Off, or what `on_lost` says (`hold` is off here). Pulses end, and what waits or is on its way is refused. It goes to the
boards themselves: it works while the bridge is down. Nobody is locked out: the next set acts. A board that is offline
cannot hear it: its outputs follow their leases. Operators may; who may on some boards only stops each by its name.
exit status: 0 only when every output of the board, or of all boards that are online, has said so within 5 seconds;
else 1, and stderr tells which did not."""

WITHIN = 5.0
"""Seconds that boards are given to say that they have stopped."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("board", metavar="BOARD", nargs="?", help="the board to stop")
    which.add_argument("--all", action="store_true", help="stop every board")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Stop, and tell a line per board."""
    with broker_url.connect(args, timeout=2.0) as client:
        told = client.stop(args.board, timeout=WITHIN)
    if args.json:
        terminal.print_json([to_builtins(each) | {"done": each.done} for each in told])
    else:
        for each in told:
            _print(each)
    if not told:
        terminal.complain("stop", "it was sent, but there is no board that anybody knows of")
    wanted = [each for each in told if each.online] if args.all else told
    return 0 if told and all(each.done for each in wanted) else 1


def _print(told: Stopped) -> None:
    outputs = "1 output" if told.outputs == 1 else f"{told.outputs} outputs"
    if told.done:
        print(
            f"{told.board}  {terminal.painted('stopped', terminal.GREEN)}  {outputs if told.outputs else 'no outputs'}"
        )
    elif told.online:
        why = "; ".join(f"{name}: {reason}" for name, reason in told.left.items())
        terminal.complain("stop", f"{told.board} NOT STOPPED, {len(told.left)} of {outputs} left: {why}")
    else:
        why = "it cannot hear this, and its outputs follow their leases"
        terminal.complain("stop", f"{told.board} is offline or unknown: {why}")
