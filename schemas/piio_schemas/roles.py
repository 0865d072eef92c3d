"""Who takes part: the roles that the topic table gives rights to."""

from enum import StrEnum


class Role(StrEnum):
    """What an identity may do; people are viewers, operators or admins, each including the one before."""

    AGENT = "agent"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    WEBAPP = "webapp"
    BRIDGE = "bridge"


PEOPLE = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
"""The roles a person may have, in rising order."""

GRANTABLE = (Role.AGENT, *PEOPLE)
"""The roles `piio user add` gives."""


def may_act_as(role: Role, wanted: Role) -> bool:
    """Return whether a person's role includes the wanted one."""
    return role in PEOPLE and wanted in PEOPLE and PEOPLE.index(role) >= PEOPLE.index(wanted)
