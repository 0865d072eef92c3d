"""Asking the bridge: documents out, documents back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from piio.errors import PiioError, RequestFailed
from piio.reading import Bucket, History, read_board, read_name
from piio.session import Session
from piio_schemas import audit, requests, topics
from piio_schemas.documents import DocumentError, as_model, encode, read_json

Model = TypeVar("Model")

ANSWER_WITHIN = 5.0
"""Seconds to wait for an answer."""


class UnreadableAnswer(PiioError, ValueError):
    """The bridge answered something that the contract does not know."""


class Requests:
    """What the bridge can be asked over one session, in the name of `by`."""

    def __init__(self, session: Session, by: str | None) -> None:
        self._session = session
        self._by = by

    def configure(
        self,
        board: str,
        patch: Mapping[str, Any] | None,
        config: Mapping[str, Any] | None,
        base_revision: int | None,
    ) -> requests.ConfigurationAnswer:
        """Change a configuration by a merge patch, or replace it."""
        request = requests.ConfigurationRequest(
            by=self._by,
            base_revision=base_revision,
            patch=None if patch is None else dict(patch),
            config=None if config is None else dict(config),
        )
        what = f"change the configuration of '{board}'"
        return self._ask(topics.CONFIG_SET, board, request, requests.ConfigurationAnswer, what)

    def restore(self, board: str, revision: int) -> requests.ConfigurationAnswer:
        """Make an old revision the newest."""
        request = requests.RestoreRequest(by=self._by, revision=revision)
        what = f"restore the configuration of '{board}'"
        return self._ask(topics.REQUEST_RESTORE, board, request, requests.ConfigurationAnswer, what)

    def copy(self, board: str, to: str) -> requests.ConfigurationAnswer:
        """Carry a configuration to another board."""
        request = requests.CopyRequest(by=self._by, to=read_board(to))
        what = f"copy the configuration of '{board}'"
        return self._ask(topics.REQUEST_COPY, board, request, requests.ConfigurationAnswer, what)

    def forget(self, board: str) -> None:
        """Remove an offline board with its retained topics."""
        request = requests.ForgetRequest(by=self._by)
        self._ask(topics.REQUEST_FORGET, board, request, requests.Done, f"forget '{board}'")

    def revisions(self, board: str) -> list[requests.Revision]:
        """Return the revisions of a configuration, newest first."""
        request = requests.RevisionsRequest(by=self._by)
        what = f"list the revisions of '{board}'"
        return self._ask(topics.REQUEST_REVISIONS, board, request, requests.RevisionsAnswer, what).revisions

    def history(self, name: str, start: float | None, end: float | None, buckets: int) -> History:
        """Return what a point was between two Unix times."""
        board, point = read_name(name)
        request = requests.HistoryRequest(by=self._by, point=point, start=start, end=end, buckets=buckets)
        answer = self._ask(topics.REQUEST_HISTORY, board, request, requests.HistoryAnswer, f"read history of '{name}'")
        return History((Bucket(*bucket) for bucket in answer.buckets), answer.gaps)

    def audit(
        self, board: str | None, *, start: float | None, end: float | None, point: str | None, person: str | None,
        limit: int | None,
    ) -> tuple[list[audit.AuditEntry], int]:  # fmt: skip
        """Return the newest entries of a board, or of all, in as many answers as it takes; and how many were lost."""
        row = topics.REQUEST_AUDIT_ALL if board is None else topics.REQUEST_AUDIT
        what = f"read the audit trail of {'all boards' if board is None else repr(board)}"
        found: list[audit.AuditEntry] = []
        before = None
        while True:
            left = audit.MOST_ENTRIES if limit is None else min(limit - len(found), audit.MOST_ENTRIES)
            request = audit.AuditRequest(
                by=self._by, start=start, end=end, point=point, person=person, limit=left, before=before
            )
            answer = self._ask(row, board, request, audit.AuditAnswer, what)
            found += answer.entries
            before = answer.next
            if before is None or len(found) == limit:
                return found, answer.dropped

    def preview(self, equation: str, x: Sequence[float], names: Mapping[str, float]) -> list[float | None]:
        """Return an equation's values; None where the result is not finite."""
        request = requests.PreviewRequest(by=self._by, equation=equation, x=list(x), names=dict(names))
        return self._ask(topics.REQUEST_PREVIEW, None, request, requests.PreviewAnswer, "try an equation").values

    def _ask(
        self, row: topics.Topic, board: str | None, request: requests.Request, model: type[Model], what: str
    ) -> Model:
        levels = {} if board is None else {"agent": read_board(board)}
        document = {key: value for key, value in _fields(request).items() if value is not None}
        payload = self._session.request(row.at(self._session.prefix, **levels), encode(document), what, ANSWER_WITHIN)
        return _read_answer(payload, model)


def _fields(request: requests.Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


def _read_answer(payload: bytes, model: type[Model]) -> Model:
    try:
        answer = read_json(payload)
        if isinstance(answer, dict) and not answer.get("ok", True) and "error" in answer:
            failure = as_model(answer["error"], requests.Failure, "error")
            raise RequestFailed(failure.message, failure.column)
        return as_model(answer, model)
    except DocumentError as error:
        raise UnreadableAnswer(f"the bridge's answer cannot be read: {error}") from error
