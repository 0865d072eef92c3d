"""`piio config`: see and change what a board's points and displays are."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from piio.client import Client
from piio.commands import broker_url, terminal
from piio.errors import PiioError
from piio_schemas.documents import LARGEST, DocumentError, read_json
from piio_schemas.requests import ConfigurationAnswer

HELP = """Print a board's configuration, or change it (admins may).

  piio config demo > demo.json
  echo '{"points": {"tank": {"unit": "%"}}}' | piio config demo --set -
  piio config demo --file demo.json
  piio config demo --restore 5

--set takes a JSON Merge Patch of points and displays (null removes); --file replaces them all. A refusal names the
path of everything that is wrong, on stderr. Changes use $PIIO_ADMIN_URL where there is one.
exit status: 0 when it was done, 1 when not."""

ENVELOPE = ("store", "revision", "epoch", "updated", "by")
"""What the bridge writes into a configuration by itself."""


class UnreadableDocument(PiioError, ValueError):
    """A file that is not a document to send."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("board", metavar="BOARD")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--set", metavar="FILE", help="change it by this merge patch (- for stdin)")
    what.add_argument("--file", metavar="FILE", help="replace points and displays by this document (- for stdin)")
    what.add_argument("--restore", type=int, metavar="REVISION", help="make an old revision the newest")
    what.add_argument(
        "--revisions", action="store_true", help="list the revisions: number, when, by whom, what changed"
    )
    what.add_argument("--copy-to", metavar="OTHER", help="carry the configuration to another board")
    what.add_argument("--forget", action="store_true", help="remove an offline board with all its retained topics")
    parser.add_argument(
        "--base-revision", type=int, metavar="N", help="with --set or --file: refuse it if this is not the newest"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document on one line")
    broker_url.configure(parser)


def run(args: argparse.Namespace) -> int:
    """Print or change it."""
    change = _change(args)
    with broker_url.connect(args, admin=change is not None) as client:
        if change is not None:
            return _tell(args, change(client))
        if args.revisions:
            _print_revisions(args, client)
        else:
            _print_document(args, client.configuration(args.board))
    return 0


def _change(args: argparse.Namespace) -> Callable[[Client], ConfigurationAnswer | None] | None:
    """Return what changes the configuration; None when it is only looked at. Files are read before connecting."""
    if args.set:
        patch = _read_file(args.set)
        return lambda client: client.configure(args.board, patch, base_revision=args.base_revision)
    if args.file:
        config = {key: value for key, value in _read_file(args.file).items() if key not in ENVELOPE}
        return lambda client: client.configure(args.board, config=config, base_revision=args.base_revision)
    if args.restore is not None:
        return lambda client: client.restore(args.board, args.restore)
    if args.copy_to:
        return lambda client: client.copy(args.board, args.copy_to)
    if args.forget:
        return lambda client: client.forget(args.board)
    return None


def _tell(args: argparse.Namespace, answer: ConfigurationAnswer | None) -> int:
    if args.json:
        terminal.print_json(answer if answer is not None else {"ok": True})
    if answer is None:
        return 0
    for warning in answer.warnings or []:
        terminal.complain("config", f"warning: {warning}")
    for problem in answer.errors or []:
        terminal.complain("config", f"{problem.path}: {problem.message}" if problem.path else problem.message)
    if answer.ok and not args.json:
        print(f"{args.copy_to or args.board} is at revision {answer.revision}")
    return 0 if answer.ok else 1


def _print_revisions(args: argparse.Namespace, client: Client) -> None:
    revisions = client.revisions(args.board)
    if args.json:
        terminal.print_json(revisions)
    else:
        for revision in revisions:
            changed = terminal.painted(", ".join(revision.changed), terminal.DIM)
            print(f"{revision.revision:>5}  {revision.updated:<20}  {revision.by:<12}  {changed}".rstrip())


def _print_document(args: argparse.Namespace, document: dict[str, Any]) -> None:
    if args.json:
        terminal.print_json(document)
    else:
        print(json.dumps(document, indent=2, ensure_ascii=False))


def _read_file(name: str) -> dict[str, Any]:
    shown = "stdin" if name == "-" else name
    try:
        payload = sys.stdin.buffer.read(LARGEST + 1) if name == "-" else Path(name).read_bytes()
        document = read_json(payload)
    except OSError as error:
        raise UnreadableDocument(f"{shown} cannot be read: {error.strerror}") from error
    except DocumentError as error:
        raise UnreadableDocument(f"{shown}: {error}") from error
    if not isinstance(document, dict):
        raise UnreadableDocument(f'{shown}: a document is a JSON object, such as {{"points": …}}')
    return document
