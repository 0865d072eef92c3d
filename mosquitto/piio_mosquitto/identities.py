"""Who the broker knows: every process and every person, with a role, a scope and a hashed password."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from msgspec import Struct

from piio.private_file import StateError, read_private, write_private
from piio_mosquitto.errors import IdentityError
from piio_mosquitto.password import hashed
from piio_schemas.identifiers import IdentifierError, check_identity
from piio_schemas.roles import GRANTABLE, PEOPLE, Role

SERVICES = {"bridge": Role.BRIDGE, "webapp": Role.WEBAPP}
"""The processes beside the broker; their names are reserved."""

_SCOPE = re.compile(r"[a-z0-9_*?-]+(,[a-z0-9_*?-]+)*")


class Identity(Struct, frozen=True, omit_defaults=True):
    """One who may connect."""

    role: Role
    password: str
    """Hashed, in Mosquitto's form."""
    scope: str = ""
    """Patterns of boards a person is let at, such as `lab-*,demo`; empty: every board."""


class Identities:
    """Those of a file; `save` writes what has changed, so that many are made as fast as one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _read(file)
        self._saved = dict(self._known)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def __getitem__(self, name: str) -> Identity:
        if name not in self._known:
            raise IdentityError(f"there is no '{name}': `piio user list` shows who there is")
        return self._known[name]

    def all(self) -> dict[str, Identity]:
        """Return every identity by its name, in order."""
        return dict(sorted(self._known.items()))

    def boards(self, scope: str = "") -> list[str]:
        """Return the names of the agents that a scope comes to."""
        agents = sorted(name for name, identity in self._known.items() if identity.role is Role.AGENT)
        patterns = scope.split(",") if scope else ["*"]
        return [name for name in agents if any(fnmatchcase(name, pattern) for pattern in patterns)]

    def add(self, name: str, role: Role, password: str, scope: str = "") -> None:
        """Make an identity; IdentityError when the name is taken or cannot be one."""
        if name in self._known:
            taken = self._known[name].role
            raise IdentityError(f"'{name}' is there already ({taken}): choose another name, or `piio user change`")
        _check(name, role, scope)
        self._put(name, Identity(role, hashed(password), scope))

    def change(
        self, name: str, role: Role | None = None, password: str | None = None, scope: str | None = None
    ) -> None:
        """Change what is given of a person or a board."""
        was = self._grantable(name)
        now = Identity(
            was.role if role is None else role,
            was.password if password is None else hashed(password),
            was.scope if scope is None else scope,
        )
        if (was.role is Role.AGENT) != (now.role is Role.AGENT):
            raise IdentityError(f"'{name}' is {was.role}: a board and a person are not turned into each other")
        _check(name, now.role, now.scope)
        self._put(name, now)

    def remove(self, name: str) -> None:
        """Forget a person or a board."""
        self._grantable(name)
        del self._known[name]

    def set_service(self, name: str, password: str) -> None:
        """Make the bridge's or the web app's identity, or give it another password."""
        self._put(name, Identity(SERVICES[name], hashed(password)))

    def save(self) -> None:
        """Write the file, if there is anything new."""
        if self._known != self._saved:
            write_private(self._file, msgspec.json.format(msgspec.json.encode(self.all()), indent=1).decode() + "\n")
            self._saved = dict(self._known)

    def _grantable(self, name: str) -> Identity:
        identity = self[name]
        if identity.role not in GRANTABLE:
            raise IdentityError(f"'{name}' is a service of this installation: it stays as it is")
        return identity

    def _put(self, name: str, identity: Identity) -> None:
        self._known[name] = identity


def _check(name: str, role: Role, scope: str) -> None:
    try:
        check_identity(name)
    except IdentifierError as error:
        raise IdentityError(str(error)) from error
    if scope and role not in PEOPLE:
        raise IdentityError(f"a scope is for people; '{name}' is {role}")
    if scope and not _SCOPE.fullmatch(scope):
        raise IdentityError(f"'{scope}' is not a scope: patterns of board names such as 'lab-*' or 'lab-*,demo'")


def _read(file: Path) -> dict[str, Identity]:
    text = read_private(file)
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Identity])
    except msgspec.MsgspecError as error:
        raise StateError(f"{file} is damaged ({error}): put a good copy back, or begin with a fresh --state") from error
