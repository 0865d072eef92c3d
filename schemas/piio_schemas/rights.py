"""What an identity may write and read at the broker, made from the topic table."""

from collections.abc import Collection

from msgspec import Struct

from piio_schemas.roles import Role
from piio_schemas.topics import PREFIX, TABLE, Topic


class Right(Struct, frozen=True, order=True):
    """One line of an access list."""

    filter: str
    access: str
    """`read`, `write` or `readwrite`."""


def rights(name: str, role: Role, boards: Collection[str] | None = None, prefix: str = PREFIX) -> list[Right]:
    """Return what `name` may do; `boards` are the agents its scope comes to, None for every one."""
    if role is Role.BRIDGE:
        return [Right(f"{prefix}/#", "readwrite"), Right("homeassistant/#", "readwrite")]
    found: dict[str, set[str]] = {}
    for topic in TABLE:
        for filter in _filters(topic, name, role, boards, prefix):
            for access, roles in (("read", topic.read), ("write", topic.write)):
                if role in roles:
                    found.setdefault(filter, set()).add(access)
    return sorted(Right(filter, "readwrite" if len(access) == 2 else access.pop()) for filter, access in found.items())


def _filters(topic: Topic, name: str, role: Role, boards: Collection[str] | None, prefix: str) -> list[str]:
    if topic.all_boards and boards is not None:
        return []
    own = {"user": name} if "user" in topic.levels and role is not Role.AGENT else {}
    if "agent" not in topic.levels:
        return [topic.every(prefix, **own)]
    if role is Role.AGENT:
        return [topic.every(prefix, agent=name)]
    if boards is None:
        return [topic.every(prefix, **own)]
    return [topic.every(prefix, agent=board, **own) for board in sorted(boards)]
