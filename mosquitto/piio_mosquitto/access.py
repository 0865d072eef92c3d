"""The broker's two lists, made from the identities: who may come in, and who may do what."""

from piio_mosquitto.identities import Identities, Identity
from piio_schemas.rights import rights


def password_file(identities: Identities) -> str:
    """Return Mosquitto's password file."""
    return "".join(f"{name}:{identity.password}\n" for name, identity in identities.all().items())


def access_file(identities: Identities) -> str:
    """Return Mosquitto's access list: one `user` block per identity, as a `pattern` line would hold for everybody."""
    blocks = [_block(name, identity, identities) for name, identity in identities.all().items()]
    return "# Made from the identities; what is written here by hand is lost.\n\n" + "\n".join(blocks)


def _block(name: str, identity: Identity, identities: Identities) -> str:
    boards = identities.boards(identity.scope) if identity.scope else None
    lines = [f"user {name}", *(f"topic {one.access} {one.filter}" for one in rights(name, identity.role, boards))]
    return "\n".join(lines) + "\n"
