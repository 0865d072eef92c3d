"""`piio backup`: everything of an installation in one file, while it runs."""

import argparse
from pathlib import Path

from piio.archive import back_up

HELP = """Write everything of an installation into one file, while it runs: people and boards with their passwords,
every revision of every configuration, history, the audit trail, the web app's people.

  piio backup piio-backup.tar.gz
  piio backup /media/usb/bench.tar.gz --state /var/lib/piio

The file holds passwords: it is readable by its owner alone, keep it so. A database that the bridge or the web app was
given by --database is not in it: use that database's own tool, e.g. pg_dump. `piio restore` brings it all back.
exit status: 0 when the file is whole, 1 when there is none."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--state", type=Path, default=Path("var"), metavar="DIR", help="state folder (default ./var)")


def run(args: argparse.Namespace) -> int:
    """Make it."""
    manifest = back_up(args.state, args.file)
    size = args.file.stat().st_size
    print(f"{args.file}: {len(manifest.files)} files, {size / 1e6:.1f} MB; it holds passwords, keep it to yourself")
    if "bridge.db" not in manifest.files:
        print("note: there is no bridge.db here: if the bridge has another database, back it up with its own tool")
    return 0
