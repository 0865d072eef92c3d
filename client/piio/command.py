"""The `piio` command: finds what is installed by entry points and hands over to the one that was asked for."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Protocol, cast

from piio.errors import PiioError

GROUP = "piio.commands"

EXTRAS = {"piio_agent": "agent", "piio_bridge": "bridge", "piio_webapp": "webapp"}
"""Which extra brings what a package needs."""

DESCRIPTION = "See and drive the pins of many boards over one MQTT broker."


class Command(Protocol):
    """What a module of the entry-point group `piio.commands` has."""

    HELP: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit status."""


class CommandMissing(PiioError, LookupError):
    """A command that is not there, or whose parts are not installed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `piio …` and return its exit status; an error is one line on stderr and status 1."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except PiioError as error:
        print(f"piio: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has left; without this Python would complain once more at its own exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return status


def _run(arguments: list[str]) -> int:
    commands = {point.name: point for point in entry_points(group=GROUP)}
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview(commands))
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"piio {version('piio')}")
        return 0
    name = arguments[0]
    if name not in commands:
        raise CommandMissing(f"there is no command '{name}': `piio --help` lists them")
    command = _load(commands[name])
    parser = argparse.ArgumentParser(
        prog=f"piio {name}", description=command.HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.configure(parser)
    return command.run(parser.parse_args(arguments[1:]))


def _load(point: EntryPoint) -> Command:
    """Import a command; CommandMissing says what to install when a part of it is not there."""
    try:
        return cast(Command, point.load())
    except ModuleNotFoundError as error:
        raise CommandMissing(f"'{point.name}' {_remedy(point, error)}") from error


def _remedy(point: EntryPoint, error: ModuleNotFoundError) -> str:
    package = point.module.partition(".")[0]
    extra = EXTRAS.get(package)
    if extra and not (error.name or "").startswith("piio"):
        return f"needs pip install 'piio[{extra}]' ({error.name} is missing)"
    return f"is not installed ({error.name} is missing)"


def _overview(commands: dict[str, EntryPoint]) -> str:
    lines = [f"usage: piio COMMAND …\n\n{DESCRIPTION}\n", "commands (each has its own --help):"]
    lines += [f"  {name:<9} {_help(point)}" for name, point in sorted(commands.items())]
    return "\n".join([*lines, "", "options:", "  --version  print the version"])


def _help(point: EntryPoint) -> str:
    try:
        return _load(point).HELP.strip().splitlines()[0]
    except CommandMissing as missing:
        return str(missing).partition("' ")[2]
