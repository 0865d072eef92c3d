"""The audit trail: a page of its newest entries, and all of it as CSV."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from flask import Blueprint, Response, abort, g, render_template, request, stream_with_context

from piio.audit_csv import csv_lines
from piio.errors import PiioError
from piio_schemas import topics
from piio_schemas.audit import MOST_ENTRIES, AuditAnswer, AuditEntry, AuditRequest
from piio_schemas.documents import DocumentError, as_model
from piio_schemas.identifiers import NAME
from piio_schemas.roles import Role, may_act_as
from piio_webapp.broker import LONGEST_ANSWER
from piio_webapp.login_form import hub, only_people

LONGEST_NAME = 63
"""Characters of a person's name, which may be any text: it is what somebody claimed."""

blueprint = Blueprint("audit_page", __name__)


@blueprint.get("/audit")
@only_people
def audit() -> Any:
    """The newest entries, which follow by themselves; operators and admins only."""
    _only_operators()
    return render_template("audit.html", who=g.who, auditing=True)


@blueprint.get("/audit.csv")
@only_people
def as_csv() -> Any:
    """Every entry of the board and person that are asked for."""
    _only_operators()
    board, person = request.args.get("board") or None, request.args.get("person") or None
    if (board and not re.fullmatch(NAME, board)) or len(person or "") > LONGEST_NAME:
        abort(404)
    try:
        first = _asked(board, person, None)
    except (PiioError, DocumentError) as error:
        text = f"The audit trail cannot be read now: {error}"
        return render_template("message.html", title="Please try again", text=text), 503
    name = time.strftime("piio-audit-%Y-%m-%d-%H%M%S.csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    lines = stream_with_context(csv_lines(_entries(board, person, first)))
    return Response(lines, mimetype="text/csv", headers=headers)


def _only_operators() -> None:
    if not may_act_as(g.who.role, Role.OPERATOR):
        abort(403)


def _entries(board: str | None, person: str | None, answer: AuditAnswer) -> Iterator[AuditEntry]:
    """Yield the entries of an answer and of all that follow it; a CSV that breaks off was not read to its end."""
    yield from answer.entries
    while answer.next is not None:
        answer = _asked(board, person, answer.next)
        yield from answer.entries


def _asked(board: str | None, person: str | None, before: int | None) -> AuditAnswer:
    """Return an answer of the bridge; PiioError or DocumentError say why there is none."""
    if not hub().cache.bridge:
        raise DocumentError("the bridge is offline")
    row = topics.REQUEST_AUDIT if board else topics.REQUEST_AUDIT_ALL
    wanted = AuditRequest(by=g.who.name, person=person, limit=MOST_ENTRIES, before=before)
    answer: Future[Any] = Future()
    broker = hub().broker
    broker.request(row.at(broker.prefix, agent=board or ""), wanted, answer.set_result)
    document = answer.result(LONGEST_ANSWER + 1)
    if isinstance(document, dict) and not document.get("ok"):
        raise DocumentError((document.get("error") or {}).get("message", "the bridge refused"))
    return as_model(document, AuditAnswer)
