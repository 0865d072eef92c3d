"""What pages may send, each a strict model: a page is a stranger until its words are checked."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from piio_schemas import requests, topics
from piio_schemas.audit import AuditRequest
from piio_schemas.identifiers import NAME, POINT
from piio_schemas.roles import Role
from piio_webapp.tick import PageTick
from piio_webapp.view import Target

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
AgentName = Annotated[str, Meta(pattern=f"^{NAME}$", max_length=63)]
PointName = Annotated[str, Meta(pattern=f"^{POINT}$", max_length=63)]
MOST_SAMPLED = 32
"""Points whose samples one page shows."""

Verb = Literal["history", "revisions", "restore", "copy", "forget", "preview", "save", "audit", "audit_all"]


class Look(Struct, frozen=True, forbid_unknown_fields=True):
    """A page turns to a board, or to the list of boards."""

    agent: AgentName | None = None
    raws: bool = False
    samples: Annotated[dict[PointName, Annotated[float, Meta(ge=1e-6, le=86400)]], Meta(max_length=MOST_SAMPLED)] = {}
    """Points whose samples it shows, and the seconds that it shows as one."""

    @property
    def target(self) -> Target:
        """What it looks at."""
        return Target(self.agent, self.raws, tuple(sorted(self.samples.items())))


class PageSet(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody pressed something."""

    id: Id
    agent: AgentName
    point: PointName
    value: float
    tick: PageTick
    pulse: Annotated[float, Meta(gt=0, le=3600)] | None = None


class PageStop(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody stops a board, or all of them (no agent). However old it is, it stops: that is safe."""

    id: Id
    agent: AgentName | None = None


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """A page asks the bridge for something about a board."""

    id: Id
    verb: Verb
    agent: AgentName | None = None
    body: dict[str, Any] = {}


class Route(Struct, frozen=True):
    """What a verb needs and where it goes."""

    role: Role
    topic: topics.Topic
    model: type[requests.Request]
    acts: bool = False
    """Whether it changes something: then the bridge is told for whom."""


ROUTES: dict[str, Route] = {
    "history": Route(Role.VIEWER, topics.REQUEST_HISTORY, requests.HistoryRequest),
    "revisions": Route(Role.VIEWER, topics.REQUEST_REVISIONS, requests.RevisionsRequest),
    "preview": Route(Role.VIEWER, topics.REQUEST_PREVIEW, requests.PreviewRequest),
    "restore": Route(Role.ADMIN, topics.REQUEST_RESTORE, requests.RestoreRequest, acts=True),
    "copy": Route(Role.ADMIN, topics.REQUEST_COPY, requests.CopyRequest, acts=True),
    "forget": Route(Role.ADMIN, topics.REQUEST_FORGET, requests.ForgetRequest, acts=True),
    "save": Route(Role.ADMIN, topics.CONFIG_SET, requests.ConfigurationRequest, acts=True),
    "audit": Route(Role.OPERATOR, topics.REQUEST_AUDIT, AuditRequest),
    "audit_all": Route(Role.OPERATOR, topics.REQUEST_AUDIT_ALL, AuditRequest),
}
