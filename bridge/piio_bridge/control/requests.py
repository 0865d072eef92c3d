"""Requests by verb: read strictly, carried out, answered on the response topic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from piio_bridge.clock import Clock
from piio_bridge.control.board import BoardRecord
from piio_bridge.control.changing import Change, Changes, Refused
from piio_bridge.control.difference import differing
from piio_bridge.control.trail import Asked, Trail
from piio_bridge.equations import Equation, EquationError
from piio_bridge.errors import BridgeError
from piio_bridge.store.audit import Audit
from piio_bridge.store.configurations import Configurations, Superseded
from piio_bridge.store.database import StoreFailed
from piio_bridge.store.history import History
from piio_schemas import topics
from piio_schemas.audit import AuditAnswer, AuditRequest, What
from piio_schemas.commands import Status
from piio_schemas.configuration import Problem
from piio_schemas.documents import LARGEST, DocumentError, decode, encode
from piio_schemas.requests import (
    Answer,
    ConfigurationAnswer,
    ConfigurationRequest,
    CopyRequest,
    Done,
    Failure,
    ForgetRequest,
    HistoryAnswer,
    HistoryRequest,
    PreviewAnswer,
    PreviewRequest,
    RestoreRequest,
    Revision,
    RevisionsAnswer,
    RevisionsRequest,
)

log = logging.getLogger(__name__)

Carry = Callable[[str, Any], Awaitable[Any]]

LONGEST_HISTORY = 100 * 366 * 86400.0

THIS_MOMENT = 0.002
"""Seconds from now to an end that leaves out nothing kept so far: history counts whole milliseconds."""

SHORTEST_GAP = 1.0
"""Seconds of a gap that is worth telling."""


ACTS: dict[str, What] = {
    topics.CONFIG_SET.pattern: "config",
    topics.REQUEST_RESTORE.pattern: "restore",
    topics.REQUEST_COPY.pattern: "copy",
    topics.REQUEST_FORGET.pattern: "forget",
}
"""The verbs that change something, and what they are called in the audit trail."""


FRAME = 200
"""Bytes of an answer beside its entries."""


EXPLAINED = 100
"""Newest revisions of which it is told what they changed."""


class RequestFailed(BridgeError, ValueError):
    """A request that cannot be carried out, and why."""


class Requests:
    """The verbs that the bridge understands."""

    def __init__(
        self, boards: Mapping[str, BoardRecord], changes: Changes, configurations: Configurations, history: History,
        audit: Audit, trail: Trail, clock: Clock,
    ) -> None:  # fmt: skip
        self._boards = boards
        self._changes = changes
        self._configurations = configurations
        self._history = history
        self._audit = audit
        self._trail = trail
        self._clock = clock
        self._verbs: dict[str, Carry] = {
            topics.CONFIG_SET.pattern: self._configure,
            topics.REQUEST_RESTORE.pattern: self._restore,
            topics.REQUEST_COPY.pattern: self._copy,
            topics.REQUEST_FORGET.pattern: self._forget,
            topics.REQUEST_HISTORY.pattern: self._history_of,
            topics.REQUEST_REVISIONS.pattern: self._revisions,
            topics.REQUEST_PREVIEW.pattern: self._preview,
            topics.REQUEST_AUDIT.pattern: self._audit_of,
            topics.REQUEST_AUDIT_ALL.pattern: self._audit_of,
        }

    def understands(self, row: topics.Topic) -> bool:
        """Whether a topic is a request's."""
        return row.pattern in self._verbs

    async def carry_out(self, row: topics.Topic, agent: str, payload: bytes, id: str) -> bytes:
        """Carry a request out and return the answer's payload; nothing is raised. `id`: its correlation data."""
        request: Any = None
        answer: Any = None
        try:
            request = decode(payload or b"{}", _model(row))
        except DocumentError as error:
            answer = _failure(row, error.message, error.path)
        asked = self._asked(row, agent, request, id)
        crashed = False
        if request is not None:
            answer, crashed = await self._answer(row, agent, request)
        paths: Sequence[str] = ()
        if isinstance(answer, Change):
            answer, paths = answer.answer, answer.paths
        if asked is not None:
            outcome, reason = outcome_of(answer)
            summary = _summary(agent, request, answer, paths)
            self._trail.ended(asked, "failed" if crashed else outcome, reason, summary)
        return msgspec.json.encode(answer)

    async def _answer(self, row: topics.Topic, agent: str, request: Any) -> tuple[Any, bool]:
        """Return the answer, and whether it is that something is wrong with the bridge itself."""
        try:
            return await self._verbs[row.pattern](agent, request), False
        except DocumentError as error:
            return _failure(row, error.message, error.path), False
        except EquationError as error:
            return Answer(error=Failure(error.message, error.column)), False
        except (RequestFailed, Refused) as error:
            return _failure(row, str(error)), False
        except (StoreFailed, Superseded) as error:
            log.warning("a request on %s: %s", row.pattern, error)
            return _failure(row, str(error)), True
        except Exception:
            log.exception("a request on %s could not be carried out", row.pattern)
            return _failure(row, "the bridge failed to carry it out: its log says why"), True

    def _asked(self, row: topics.Topic, agent: str, request: Any, id: str) -> Asked | None:
        """Note a request that is to change something; None for one that only asks."""
        if row.pattern not in ACTS:
            return None
        board = request.to if isinstance(request, CopyRequest) else agent
        return self._trail.asked_request(board, ACTS[row.pattern], request.by if request else None, id)

    async def _configure(self, agent: str, request: ConfigurationRequest) -> Change:
        return await self._changes.change(agent, request)

    async def _restore(self, agent: str, request: RestoreRequest) -> Change:
        return await self._changes.restore(agent, request.revision, request.by or "")

    async def _copy(self, agent: str, request: CopyRequest) -> Change:
        return await self._changes.copy(agent, request.to, request.by or "")

    async def _forget(self, agent: str, _: ForgetRequest) -> Done:
        await self._changes.forget(agent)
        return Done()

    async def _revisions(self, agent: str, _: RevisionsRequest) -> RevisionsAnswer:
        self._board(agent)
        return RevisionsAnswer(revisions=await asyncio.to_thread(self._told, agent))

    def _told(self, agent: str) -> list[Revision]:
        """Return the revisions, of the newest what changed by them, and the oldest left out where they are too many."""
        newest = self._configurations.newest_documents(agent, EXPLAINED + 1)
        changed = {n: differing(before, now) for (n, now), (_, before) in pairwise(newest)}
        room, told = LARGEST - FRAME, list[Revision]()
        for revision in self._configurations.revisions(agent):
            full = replace(revision, changed=changed.get(revision.revision, []))
            room -= len(msgspec.json.encode(full)) + 1
            if room < 0:
                break
            told.append(full)
        return told

    async def _history_of(self, agent: str, request: HistoryRequest) -> HistoryAnswer:
        end = self._clock.unix() + THIS_MOMENT if request.end is None else request.end
        start = end - 3600 if request.start is None else request.start
        if not 0 <= end - start <= LONGEST_HISTORY or abs(end) > 1e11:
            raise RequestFailed("start and end are Unix seconds, start first, at most a hundred years apart")
        if request.point not in self._board(agent).configuration.points:
            raise RequestFailed(f"{agent} has no point '{request.point}'")
        span = (agent, request.point, start, end)
        found = await asyncio.to_thread(self._history.buckets, *span, request.buckets)
        shortest = max(SHORTEST_GAP, (end - start) / request.buckets)
        answer = HistoryAnswer(buckets=found, gaps=await asyncio.to_thread(self._history.gaps, *span, shortest))
        if len(encode(answer)) > LARGEST:
            raise RequestFailed(f"{request.buckets} buckets do not fit into a message here: ask for fewer")
        return answer

    async def _audit_of(self, agent: str, request: AuditRequest) -> AuditAnswer:
        found = await asyncio.to_thread(self._audit.entries, agent or None, request)
        room, fitting = LARGEST - FRAME, []
        for entry in found:
            room -= len(encode(entry)) + 1
            if room < 0:
                break
            fitting.append(entry)
        more = len(fitting) < len(found) or len(found) == request.limit
        return AuditAnswer(
            entries=fitting, next=fitting[-1].number if fitting and more else None, dropped=self._audit.dropped
        )

    def _board(self, agent: str) -> BoardRecord:
        if agent not in self._boards:
            raise RequestFailed(f"there is no board '{agent}'")
        return self._boards[agent]

    async def _preview(self, _: str, request: PreviewRequest) -> PreviewAnswer:
        names = {"x", *request.names} if request.x or not request.names else set(request.names)
        equation = Equation(request.equation, names)
        count = len(request.x) or 1
        columns = {name: np.full(count, value, np.float64) for name, value in request.names.items()}
        if request.x:
            columns["x"] = np.array(request.x, np.float64)
        elif "x" in equation.names:
            return PreviewAnswer(values=[])
        values = equation.evaluate(columns, count).tolist()
        return PreviewAnswer(values=[value if np.isfinite(value) else None for value in values])


def outcome_of(answer: Any) -> tuple[Status, str]:
    """Return what an answer says became of the request, and why."""
    if isinstance(answer, ConfigurationAnswer):
        problems = [f"{each.path}: {each.message}" if each.path else each.message for each in answer.errors or ()]
        return ("done", "; ".join(answer.warnings or ())) if answer.ok else ("refused", "; ".join(problems))
    return ("refused", answer.error.message) if isinstance(answer, Answer) else ("done", "")


def _summary(agent: str, request: Any, answer: Any, paths: Sequence[str]) -> str:
    """Return what a request changed, in a line."""
    asked = f"from {agent}" if isinstance(request, CopyRequest) else ""
    if isinstance(request, RestoreRequest):
        asked = f"revision {request.revision} again"
    if not isinstance(answer, ConfigurationAnswer) or not answer.ok:
        return asked
    became = f"revision {answer.revision}: {', '.join(paths) or 'nothing changed'}"
    return f"{asked}, {became}" if asked else became


def _model(row: topics.Topic) -> type[Any]:
    assert isinstance(row.document, type)
    return row.document


def _failure(row: topics.Topic, message: str, path: str = "") -> Any:
    """Return a failed answer in the form of the verb: configurations list problems, others have one error."""
    if row in (topics.CONFIG_SET, topics.REQUEST_RESTORE, topics.REQUEST_COPY):
        return ConfigurationAnswer(ok=False, errors=[Problem(path, message)])
    return Answer(error=Failure(f"{path}: {message}" if path else message))
