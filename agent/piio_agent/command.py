"""`piio agent`: run a board."""

import argparse
import logging
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from piio.errors import PiioError
from piio.lock import FileLock
from piio_agent.agent import Agent
from piio_agent.settings import Identity, Settings, identity, read_settings
from piio_schemas.topics import PREFIX

log = logging.getLogger(__name__)

HELP = "run the agent of this board: its hardware, configured and seen through the broker"


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what can be said on the command line."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="who this agent is and what hardware it has (agent.toml)"
    )
    parser.add_argument("--simulate", action="store_true", help="a simulated board instead of hardware")
    parser.add_argument(
        "--name", help="what the agent is called (default: as in the file, in the URL, or the host's name)"
    )
    where = "mqtt://user@host:port, mqtts://…, or mqtt+unix://user@/path (default: as in the file, or $PIIO_URL)"
    parser.add_argument("--url", help=where)
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="a file with the password ($PIIO_PASSWORD)")
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("var"),
        metavar="DIR",
        help="keep the last configuration below this folder (default: ./var)",
    )
    parser.add_argument(
        "--interfaces-dir", type=Path, metavar="DIR", action="append", default=[], help="a folder with more drivers"
    )
    parser.add_argument("--prefix", default=PREFIX, help="the first level of all topics (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C; 2 if what was said cannot be used.

    SIGHUP from a supervisor begins anew, with outputs left as they are.
    """
    try:
        who = _identity(arguments)
    except PiioError as error:
        sys.stderr.write(f"piio agent: {error}\n")
        return 2
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    with ExitStack() as held:
        agent = Agent(_with_folder(who, held), apart=True)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: agent.stop())
        if not sys.stdin.isatty():
            # From a supervisor; a terminal's means that it is gone.
            signal.signal(signal.SIGHUP, lambda *_: agent.leave())
        agent.run()
    if agent.leaving:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  (ourselves again)
    return 0


def _with_folder(who: Identity, held: ExitStack) -> Identity:
    """Hold the agent's folder while it runs; one that another agent holds, or that cannot be had, is not touched."""
    if who.folder is None:
        return who
    try:
        who.folder.mkdir(parents=True, exist_ok=True)
        held.enter_context(FileLock(who.folder / "lock", f"{who.folder} belongs to an agent that is running"))
    except (OSError, PiioError) as error:
        log.warning("%s: nothing is kept on disk", error)
        return msgspec.structs.replace(who, state=None)
    return who


def _identity(arguments: argparse.Namespace) -> Identity:
    settings = read_settings(arguments.config) if arguments.config else Settings()
    return identity(
        settings,
        name=arguments.name,
        url=arguments.url,
        password_file=arguments.password_file,
        simulate=arguments.simulate,
        folders=tuple(arguments.interfaces_dir),
        state=arguments.state,
        prefix=arguments.prefix,
    )
