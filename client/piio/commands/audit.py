"""`piio audit`: who asked what, when and from where, and what became of it."""

import argparse
import sys
import time

from piio.audit_csv import csv_lines
from piio.commands import broker_url, terminal
from piio.commands.age import read_age
from piio_schemas.audit import BROKER, AuditEntry

HELP = """Print who asked what of the boards, when and from where, and what became of it (operators may).

  piio audit
  piio audit demo --since 1h --point pump
  piio audit --by anna --since 7d --csv > anna.csv

Sets, stops, changes of configurations and fail-safes, the newest first. A name without a mark is what the sender
claimed; the web app vouches for one with ✓. The address is the browser's; what came over the broker says mqtt.
exit status: 0, or 1 when there is no broker or no bridge, or you may not."""

NEWEST = 50
"""Entries that are printed where nobody says how many."""

WIDEST = 32
"""Characters of a column that the next ones line up after; what is longer pushes only its own row."""

COLOURS = {"done": terminal.GREEN, "refused": terminal.YELLOW, "expired": terminal.YELLOW, "failed": terminal.RED}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("board", metavar="BOARD", nargs="?", help="of one board only")
    parser.add_argument("--since", type=read_age, metavar="AGE", help="no older than 90s, 15m, 1h, 7d, 2w")
    parser.add_argument("--until", type=read_age, metavar="AGE", help="older than that")
    parser.add_argument("--point", metavar="P", help="of one point only")
    parser.add_argument("--by", metavar="NAME", help="of one person only")
    parser.add_argument(
        "--limit", type=_limit, metavar="N",
        help=f"at most so many, the newest (default: {NEWEST}; with --csv, --json or --since all there are)",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV with a header, times in UTC")
    form.add_argument("--json", action="store_true", help="print a JSON document per entry and line")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print the entries."""
    now = time.time()
    everything = args.csv or args.json or args.since is not None
    with broker_url.connect(args) as client:
        entries, dropped = client.audit(
            args.board,
            start=None if args.since is None else now - args.since,
            end=None if args.until is None else now - args.until,
            point=args.point,
            person=args.by,
            limit=args.limit if args.limit is not None else None if everything else NEWEST,
        )
    if args.csv:
        sys.stdout.writelines(csv_lines(entries))
    elif args.json:
        for entry in entries:
            terminal.print_json(entry)
    else:
        _print_table(entries)
        if not entries:
            terminal.complain("audit", "there are no such entries")
    if dropped:
        terminal.complain("audit", f"{dropped} entries were lost since the bridge started: its disk did not keep up")
    return 0


def _print_table(entries: list[AuditEntry]) -> None:
    rows = [_row(entry) for entry in entries]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(*rows, strict=True)]
    for entry, row in zip(entries, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[-1] = terminal.painted(row[-1], COLOURS[entry.outcome])
        print("  ".join(cells))


def _row(entry: AuditEntry) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.time))
    where = f"{entry.board or 'all boards'}{f'/{entry.point}' if entry.point else ''}"
    what = f"{entry.what.replace('_', '-')} {entry.value}".rstrip()
    who = f"{entry.by or '-'}{' ✓' if entry.verified else ''}"
    address = entry.address if entry.origin != "board" else "the board"
    origin = f"{address} {entry.origin}" if entry.address == BROKER and entry.origin == "echoed" else address
    return [when, where, what, who, origin, f"{entry.outcome}{f': {entry.reason}' if entry.reason else ''}"]


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return int(text)
