"""The topic table: every topic of PiIO, once, with who writes it, who reads it and what it carries."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from msgspec import Struct

from piio_schemas import audit, beacons, commands, configuration, events, requests, states, stopping
from piio_schemas.roles import Role

PREFIX = "piio"

NUMBER = "number"
"""A plain number."""

TEXT = "text"
"""A word or a sentence."""

BLOCK = "block"
"""A binary block of samples."""

READINGS = "readings"
"""JSON `[[t, raw], …]`, oldest first: Unix seconds and the raw from then on; null: no more is known from then on."""

ANSWER = "answer"
"""JSON: the answer of the request that named this topic."""

Document = type[Any] | str

_AGENT = frozenset({Role.AGENT})
_BRIDGE = frozenset({Role.BRIDGE})
_ADMINS = frozenset({Role.ADMIN, Role.WEBAPP})
_OPERATORS = _ADMINS | {Role.OPERATOR}
_VIEWERS = _OPERATORS | {Role.VIEWER}
_WEBAPP = frozenset({Role.WEBAPP})


class Topic(Struct, frozen=True, kw_only=True):
    """One row of the table; levels in braces are filled in by `at`. The bridge may write and read all of them."""

    pattern: str
    summary: str
    document: Document
    qos: int
    retained: bool
    write: frozenset[Role]
    read: frozenset[Role]
    all_boards: bool = False
    """Whether it concerns every board at once: whose rights are for some boards only may neither write nor read it."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of the levels that are filled in, the prefix left out."""
        return tuple(level for level in re.findall(r"{(\w+)}", self.pattern) if level != "prefix")

    def at(self, prefix: str = PREFIX, /, **levels: str) -> str:
        """Return the topic with its levels filled in; `+` and `#` make a filter."""
        return self.pattern.format_map({"prefix": prefix, **levels})

    def every(self, prefix: str = PREFIX, /, **levels: str) -> str:
        """Return the filter that hears this topic with the given levels, whatever the others are."""
        others = {level: "#" if level == "rest" else "+" for level in self.levels}
        return self.at(prefix, **{**others, **levels})


def _topic(
    pattern: str,
    summary: str,
    document: Document,
    *,
    qos: int = 1,
    retained: bool = False,
    write: frozenset[Role],
    read: frozenset[Role] = frozenset(),
    all_boards: bool = False,
) -> Topic:
    return Topic(
        pattern="{prefix}/" + pattern, summary=summary, document=document, qos=qos, retained=retained,
        write=write, read=read, all_boards=all_boards,
    )  # fmt: skip


STATUS = _topic(
    "{agent}/status", "`online` or `offline`: last will and clean exit alike", TEXT,
    retained=True, write=_AGENT | _BRIDGE, read=_VIEWERS | _AGENT,
)  # fmt: skip
CAPABILITIES = _topic(
    "{agent}/capabilities", "What the board is and has", states.Capabilities,
    retained=True, write=_AGENT, read=_VIEWERS,
)  # fmt: skip
CONFIG = _topic(
    "{agent}/config", "Desired configuration", configuration.Configuration,
    retained=True, write=_BRIDGE, read=_VIEWERS | _AGENT,
)  # fmt: skip
APPLIED = _topic(
    "{agent}/config/applied", "What is in force, per point ok or the error", states.Applied,
    retained=True, write=_AGENT, read=_VIEWERS,
)  # fmt: skip
CONFIG_SET = _topic(
    "{agent}/config/set", "Change the configuration", requests.ConfigurationRequest, write=_ADMINS,
)  # fmt: skip
RAW = _topic(
    "{agent}/raw/{interface}/{channel}", "What the hardware gave; cleared while the channel has failed", NUMBER,
    qos=0, retained=True, write=_AGENT, read=_VIEWERS,
)  # fmt: skip
RAW_SET = _topic(
    "{agent}/raw/{interface}/{channel}/set", "A write to a channel", commands.Write, write=_BRIDGE, read=_AGENT,
)  # fmt: skip
RAW_RESULT = _topic(
    "{agent}/raw/{interface}/{channel}/result", "What became of a write", commands.WriteResult,
    write=_AGENT, read=_OPERATORS,
)  # fmt: skip
VALUE = _topic(
    "{agent}/value/{point}", "What a point is now, in its unit", NUMBER,
    qos=0, retained=True, write=_BRIDGE, read=_VIEWERS,
)  # fmt: skip
VALUE_SET = _topic(
    "{agent}/value/{point}/set", "Ask a point for a value: a number, ON, OFF, toggle or JSON", commands.Set,
    qos=0, write=_OPERATORS,
)  # fmt: skip
VALUE_RESULT = _topic(
    "{agent}/value/{point}/result", "What became of a set", commands.SetResult,
    qos=0, write=_BRIDGE, read=_OPERATORS,
)  # fmt: skip
STOP = _topic(
    "{agent}/stop", "Stop: every output goes where it is safe, until a new set; JSON or any text", stopping.Stop,
    write=_OPERATORS, read=_AGENT,
)  # fmt: skip
STOP_ALL = _topic(
    "stop", "Stop all boards at once", stopping.Stop, write=_OPERATORS, read=_AGENT, all_boards=True,
)  # fmt: skip
QUALITY = _topic(
    "{agent}/quality/{point}", "`good`, `stale: …` or `bad: …`", TEXT,
    qos=0, retained=True, write=_BRIDGE, read=_VIEWERS,
)  # fmt: skip
EDGE = _topic(
    "{agent}/event/{interface}/{channel}", "A change of level with its kernel timestamp", events.EdgeEvent,
    qos=0, write=_AGENT, read=_VIEWERS,
)  # fmt: skip
POINT_EVENT = _topic(
    "{agent}/event/{point}", "What befell a point", events.PointEvent, write=_BRIDGE, read=_VIEWERS,
)  # fmt: skip
BLOCK_RAW = _topic(
    "{agent}/block/{interface}/{channel}", "A block of raw samples", BLOCK, qos=0, write=_AGENT, read=_VIEWERS,
)  # fmt: skip
BLOCK_VALUES = _topic(
    "{agent}/values/{point}", "A block of values", BLOCK, qos=0, write=_BRIDGE, read=_VIEWERS,
)  # fmt: skip
LATE = _topic(
    "{agent}/late/{interface}/{channel}", "Readings taken while there was no broker; for history only", READINGS,
    write=_AGENT,
)  # fmt: skip
HEALTH = _topic(
    "{agent}/health", "How the board and the agent's process are, every 10 s", states.Health,
    qos=0, retained=True, write=_AGENT, read=_VIEWERS,
)  # fmt: skip
BEACON = _topic(
    "{agent}/beacon", "A sign of life of the agent", beacons.Beacon, qos=0, write=_AGENT, read=_VIEWERS | _AGENT,
)  # fmt: skip
VIEWERS = _topic(
    "{agent}/viewers/{user}", "A lease while somebody looks", requests.ViewersLease,
    qos=0, write=_VIEWERS, read=_AGENT,
)  # fmt: skip
SIM = _topic(
    "{agent}/sim/{interface}/{channel}", "The outside world of a simulated board: a number, `z` to let go", TEXT,
    qos=0, write=_OPERATORS, read=_AGENT,
)  # fmt: skip
REQUEST_HISTORY = _topic(
    "{agent}/request/history", "Ask for a point's history", requests.HistoryRequest, write=_VIEWERS,
)  # fmt: skip
REQUEST_REVISIONS = _topic(
    "{agent}/request/revisions", "Ask which revisions there are", requests.RevisionsRequest, write=_VIEWERS,
)  # fmt: skip
REQUEST_RESTORE = _topic(
    "{agent}/request/restore", "Make an old revision the newest", requests.RestoreRequest, write=_ADMINS,
)  # fmt: skip
REQUEST_COPY = _topic(
    "{agent}/request/copy", "Carry the configuration to another board", requests.CopyRequest, write=_ADMINS,
)  # fmt: skip
REQUEST_FORGET = _topic(
    "{agent}/request/forget", "Remove an offline board with its retained topics", requests.ForgetRequest,
    write=_ADMINS,
)  # fmt: skip
REQUEST_AUDIT = _topic(
    "{agent}/request/audit", "Ask what was done to a board, by whom, and what became of it", audit.AuditRequest,
    write=_OPERATORS,
)  # fmt: skip
REQUEST_AUDIT_ALL = _topic(
    "bridge/request/audit", "Ask the same of all boards", audit.AuditRequest, write=_OPERATORS, all_boards=True,
)  # fmt: skip
REQUEST_PREVIEW = _topic(
    "bridge/request/preview", "Try an equation", requests.PreviewRequest, write=_VIEWERS,
)  # fmt: skip
REPLY = _topic(
    "reply/{user}/{rest}", "Answers to requests", ANSWER, write=_BRIDGE, read=_VIEWERS,
)  # fmt: skip
BRIDGE_STATUS = _topic(
    "bridge/status", "`online` or `offline`", TEXT, retained=True, write=_BRIDGE, read=_VIEWERS | _AGENT,
)  # fmt: skip
BRIDGE_BEACON = _topic(
    "bridge/beacon", "A sign of life of the bridge, every second", beacons.BridgeBeacon,
    qos=0, write=_BRIDGE, read=_VIEWERS | _AGENT,
)  # fmt: skip
WEBAPP_STATUS = _topic(
    "webapp/{instance}/status", "`online` or `offline`", TEXT, retained=True, write=_WEBAPP, read=_VIEWERS,
)  # fmt: skip
WEBAPP_ACTED = _topic(
    "webapp/{instance}/acted", "Whom the web app's next set or request is for", audit.Acted, qos=0, write=_WEBAPP,
)  # fmt: skip
DASHBOARD = _topic(
    "dashboard/{id}", "A dashboard across boards", requests.Dashboard, retained=True, write=_BRIDGE, read=_VIEWERS,
)  # fmt: skip
HOME_ASSISTANT = Topic(
    pattern="homeassistant/device/{prefix}_{agent}/config", summary="Home Assistant's discovery document",
    document=dict, qos=1, retained=True, write=frozenset(), read=frozenset(),
)  # fmt: skip

TABLE: tuple[Topic, ...] = (
    STATUS, CAPABILITIES, CONFIG, APPLIED, CONFIG_SET, RAW, RAW_SET, RAW_RESULT, VALUE, VALUE_SET, VALUE_RESULT,
    STOP, STOP_ALL, QUALITY, EDGE, POINT_EVENT, BLOCK_RAW, BLOCK_VALUES, LATE, HEALTH, BEACON, VIEWERS, SIM,
    REQUEST_HISTORY, REQUEST_REVISIONS, REQUEST_RESTORE, REQUEST_COPY, REQUEST_FORGET, REQUEST_AUDIT,
    REQUEST_AUDIT_ALL, REQUEST_PREVIEW, REPLY, BRIDGE_STATUS, BRIDGE_BEACON, WEBAPP_STATUS, WEBAPP_ACTED,
    DASHBOARD, HOME_ASSISTANT,
)  # fmt: skip


class Match(Struct, frozen=True):
    """Which row of the table a topic belongs to, and what its levels are."""

    topic: Topic
    levels: dict[str, str]


def match(topic: str, prefix: str = PREFIX) -> Match | None:
    """Find a topic in the table; None for a stranger's. Fixed words win over levels: `bridge` is no agent."""
    for row, expression in _expressions(prefix):
        found = expression.fullmatch(topic)
        if found:
            return Match(row, found.groupdict())
    return None


@cache
def _expressions(prefix: str) -> list[tuple[Topic, re.Pattern[str]]]:
    rows = sorted(TABLE, key=lambda row: len(row.levels))
    return [(row, _expression(row, prefix)) for row in rows]


def _expression(row: Topic, prefix: str) -> re.Pattern[str]:
    text = re.escape(row.pattern).replace(r"\{prefix\}", re.escape(prefix))
    text = text.replace(r"\{rest\}", "(?P<rest>.+)")
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", text))


def of_agent() -> Iterable[Topic]:
    """The retained topics that belong to one agent: what forgetting it removes."""
    return (row for row in TABLE if row.retained and "agent" in row.levels)
