"""`piio restore`: brings back what `piio backup` kept."""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from piio.archive import ASIDE, ArchiveError, extract, opened
from piio.lock import FileLock
from piio.private_file import make_private_folder

HELP = """Bring back what `piio backup` kept, into a state folder that is empty or whose installation is stopped.

  piio restore piio-backup.tar.gz
  piio restore bench.tar.gz --state /var/lib/piio --force

The file is checked as a whole before anything is touched. What is there already is kept in DIR/before-…, and only
replaced with --force. Boards take the restored configuration at the next `piio up`, whatever they have by then.
exit status: 0 when it was restored, 1 when nothing was changed."""

LOCKS = ("up.lock", "bridge.db.leader")
"""Files that a running installation holds locked."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--state", type=Path, default=Path("var"), metavar="DIR", help="state folder (default ./var)")
    parser.add_argument("--force", action="store_true", help="replace what is there; it is kept in DIR/before-…")


def run(args: argparse.Namespace) -> int:
    """Check it, then put it in place."""
    state = args.state.absolute()
    with opened(args.file) as (archive, manifest), ExitStack() as locks:
        make_private_folder(state)
        busy = f"PiIO is running in {state}: stop it first, or choose another --state"
        for name in LOCKS:
            if name == "up.lock" or (state / name).exists():
                locks.enter_context(FileLock(state / name, busy=busy))
        if _broker_runs(state):
            raise ArchiveError(busy)
        old = [path for path in state.iterdir() if path.name not in LOCKS and not path.name.startswith(ASIDE)]
        if old and not args.force:
            raise ArchiveError(f"{state} is not empty: --force replaces what is there, and keeps it aside")
        stage = Path(tempfile.mkdtemp(dir=state, prefix=".restoring-"))
        try:
            extract(archive, manifest, stage)
            aside = _put_in_place(state, stage, old)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(manifest.made))
    print(
        f"{state}: restored as it was on {made}, {len(manifest.files)} files" + (f"; before: {aside}" if aside else "")
    )
    return 0


def _put_in_place(state: Path, stage: Path, old: Iterable[Path]) -> Path | None:
    """Move what is there aside and what was restored into its place: names change, nothing is copied."""
    aside = None
    _give(stage, state.stat())
    for path in old:
        aside = aside or make_private_folder(state / f"{ASIDE}{time.strftime('%Y%m%d-%H%M%S')}")
        path.rename(aside / path.name)
    for path in stage.iterdir():
        path.rename(state / path.name)
    return aside


def _give(folder: Path, owner: os.stat_result) -> None:
    """Where root restores, what is restored belongs to whom the folder belongs."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)


def _broker_runs(state: Path) -> bool:
    try:
        pid = int((state / "broker" / "mosquitto.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    return os.fsencode(state / "broker") in command
