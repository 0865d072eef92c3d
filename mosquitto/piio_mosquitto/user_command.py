"""`piio user`: people and boards, made, changed and removed on both sides: at the broker and in the web app."""

import argparse
import sys
import time
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from piio.address import Address
from piio.connection import Connection
from piio.errors import NotConnected
from piio.private_file import read_private, write_private
from piio_mosquitto.configuration import Listener
from piio_mosquitto.errors import BrokerError, IdentityError
from piio_mosquitto.folder import BrokerFolder
from piio_mosquitto.own_address import own_address
from piio_mosquitto.password import new_password
from piio_schemas.roles import GRANTABLE, PEOPLE, Role

HELP = """people and boards: add, change, remove, list

  piio user add bench1 --role agent --toml     the identity of a board, and its agent.toml
  piio user add anna --role operator           a person; prints the URL with the password
"""

TRIES = 20
"""Attempts, 0.1 s apart, until a broker that was told of an identity must know it."""


class People(Protocol):
    """What a module of the entry-point group `piio.people` has: who keeps people of their own hears of every change."""

    def added(self, state: Path, name: str, role: Role, password: str) -> None:
        """A person came."""

    def changed(self, state: Path, name: str, role: Role | None, password: str | None) -> None:
        """A person has another role or password."""

    def removed(self, state: Path, name: str) -> None:
        """A person left."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="make a person or a board; prints its URL with the password")
    change = actions.add_parser("change", help="another role, scope or password")
    remove = actions.add_parser("remove", help="take every right away, at once")
    listing = actions.add_parser("list", help="show who there is")
    for one in (add, change, remove):
        one.add_argument("name", metavar="NAME")
    for one in (add, change):
        one.add_argument("--role", type=Role, choices=GRANTABLE, required=one is add, metavar="ROLE", help=_roles())
        one.add_argument("--scope", metavar="PATTERNS", help="boards a person is let at: 'lab-*,demo' (default: all)")
        one.add_argument("--toml", action="store_true", help="print an agent.toml instead of the URL")
        one.add_argument("--host", help="the broker's name or address to print, where ours is not the one others use")
    change.add_argument("--password", action="store_true", help="make a new password and print the URL")
    for one in (add, change, remove, listing):
        one.add_argument("--state", type=Path, default=Path("var"), metavar="DIR", help="default ./var")


def run(args: argparse.Namespace) -> int:
    """Do the action on the installation of --state."""
    folder = BrokerFolder(args.state)
    folder.check_made()
    actions = {"add": _add, "change": _change, "remove": _remove, "list": _list}
    actions[args.action](folder, args)
    return 0


def add_identity(folder: BrokerFolder, name: str, role: Role, password: str, scope: str = "") -> None:
    """Make an identity on both sides."""
    with folder.identities() as identities:
        identities.add(name, role, password, scope)
    if role in PEOPLE:
        for keeper in people():
            keeper.removed(folder.state, name)  # one of that name may be left over: the broker's list is the truth
            keeper.added(folder.state, name, role, password)


def change_identity(
    folder: BrokerFolder, name: str, role: Role | None = None, password: str | None = None, scope: str | None = None
) -> None:
    """Change an identity on both sides."""
    with folder.identities() as identities:
        identities.change(name, role, password, scope)
        now = identities[name].role
    if password is not None:
        folder.replace_secret(name, password)
    if now in PEOPLE and (role is not None or password is not None):
        for keeper in people():
            keeper.changed(folder.state, name, role, password)


def ensure(state: Path, wanted: Mapping[str, Role]) -> None:
    """Make the services' identities and the wanted ones where they are missing, each with a password file.

    `piio up` calls it at every start; the file of a name is STATE/secrets/NAME.password.
    """
    folder = BrokerFolder(state)
    folder.ensure_services()
    for name, role in wanted.items():
        _ensure(folder, name, role)


def _ensure(folder: BrokerFolder, name: str, role: Role) -> None:
    with folder.identities() as identities:
        there = name in identities
        if there and (identities[name].role is Role.AGENT) != (role is Role.AGENT):
            raise IdentityError(f"'{name}' is {identities[name].role} here: choose another name for the {role}")
    file = folder.secret(name)
    if there and read_private(file):
        return
    # The file is written last: a first run that was interrupted begins anew with this one.
    password = new_password()
    if there:
        change_identity(folder, name, password=password)
    else:
        add_identity(folder, name, role, password)
    write_private(file, password + "\n")


def people() -> list[People]:
    """Return who keeps people of their own and is installed; a part that is not installed keeps nobody."""
    found = []
    for point in entry_points(group="piio.people"):
        try:
            found.append(cast(People, point.load()))
        except ModuleNotFoundError:
            print(f"note: {point.name} is not installed: it does not hear of this", file=sys.stderr)
    return found


def _add(folder: BrokerFolder, args: argparse.Namespace) -> None:
    password = new_password()
    add_identity(folder, args.name, args.role, password, args.scope or "")
    _show(folder, args, password)


def _change(folder: BrokerFolder, args: argparse.Namespace) -> None:
    password = new_password() if args.password or args.toml else None
    if password is None and args.role is None and args.scope is None:
        raise BrokerError("nothing to change: give --role, --scope or --password")
    change_identity(folder, args.name, args.role, password, args.scope)
    if password is not None:
        _show(folder, args, password)


def _remove(folder: BrokerFolder, args: argparse.Namespace) -> None:
    with folder.identities() as identities:
        role = identities[args.name].role
        identities.remove(args.name)
    folder.secret(args.name).unlink(missing_ok=True)
    if role in PEOPLE:
        for keeper in people():
            keeper.removed(folder.state, args.name)


def _list(folder: BrokerFolder, _: argparse.Namespace) -> None:
    with folder.identities() as identities:
        for name, identity in identities.all().items():
            print(f"{name:<20} {identity.role:<9} {identity.scope}".rstrip())


def _show(folder: BrokerFolder, args: argparse.Namespace, password: str) -> None:
    listener = folder.listener()
    if folder.pid() is None:
        print("note: the broker is not running; it will know at its next start", file=sys.stderr)
    else:
        _wait_known(Address(listener.local, listener.port, args.name, password))
    host = args.host or _host(listener)
    if args.toml:
        print(f'name = "{args.name}"\nurl = "{Address(host, listener.port, args.name, password).url}"')
    else:
        print(Address(host, listener.port, args.name, password).url)


def _wait_known(address: Address) -> None:
    """Wait until the broker lets the new identity in: what we print works at once."""
    for attempt in range(TRIES):
        try:
            with Connection(address, on_message=lambda _: None):
                return
        except NotConnected as error:
            if attempt == TRIES - 1:
                raise BrokerError(f"the identity is made, but the broker does not take it: {error}") from error
            time.sleep(0.1)  # the broker tells nobody when it has read its lists


def _host(listener: Listener) -> str:
    """Return what other machines reach the broker by; a broker for this machine alone is said to be one."""
    if listener.address == listener.local:
        print("note: the broker listens on this machine alone: start it with --listen 0.0.0.0", file=sys.stderr)
    return own_address() if listener.everywhere else listener.address


def _roles() -> str:
    return ", ".join(GRANTABLE)
