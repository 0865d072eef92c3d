"""The broker's two lists, made from the identities: who may come in, and who may do what."""

from functools import cache

from piio_mosquitto.identities import Identities, Identity
from piio_schemas.rights import rights
from piio_schemas.roles import Role

NAMELESS = "@"
"""Stands for the name of an agent; no name has it."""


def password_file(identities: Identities) -> str:
    """Return Mosquitto's password file."""
    return "".join(f"{name}:{identity.password}\n" for name, identity in identities.all().items())


def access_file(identities: Identities) -> str:
    """Return Mosquitto's access list: one `user` block per identity, as a `pattern` line would hold for everybody."""
    blocks = [_block(name, identity, identities) for name, identity in identities.all().items()]
    return "# Made from the identities; what is written here by hand is lost.\n\n" + "\n".join(blocks)


def _block(name: str, identity: Identity, identities: Identities) -> str:
    if identity.role is Role.AGENT:
        return _agents_block().replace(NAMELESS, name)
    boards = identities.boards(identity.scope) if identity.scope else None
    return _written(name, identity.role, boards)


@cache
def _agents_block() -> str:
    """What every agent may: ten thousand differ in their names alone."""
    return _written(NAMELESS, Role.AGENT, None)


def _written(name: str, role: Role, boards: list[str] | None) -> str:
    lines = [f"user {name}", *(f"topic {one.access} {one.filter}" for one in rights(name, role, boards))]
    return "\n".join(lines) + "\n"
