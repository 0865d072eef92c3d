"""The pages: all boards, one board, one board's configuration, and whether the web app is well."""

import re
from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, render_template

from piio_schemas.identifiers import NAME
from piio_schemas.roles import Role, may_act_as
from piio_webapp.login_form import hub, only_people

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@only_people
def boards() -> Any:
    """All boards."""
    return render_template("boards.html", who=g.who)


@blueprint.get("/board/<agent>")
@only_people
def board(agent: str) -> Any:
    """One board's displays."""
    return render_template("board.html", who=g.who, agent=_checked(agent), admin=_is_admin())


@blueprint.get("/board/<agent>/configure")
@only_people
def configure(agent: str) -> Any:
    """One board's configuration; admins only."""
    if not _is_admin():
        abort(403)
    return render_template("configure.html", who=g.who, agent=_checked(agent), admin=True)


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """200 when pages are served and the broker is heard, else 503; needs no log-in."""
    connected = hub().broker.connected
    return jsonify(ok=connected, broker=connected), 200 if connected else 503


def _checked(agent: str) -> str:
    if not re.fullmatch(NAME, agent):
        abort(404)
    return agent


def _is_admin() -> bool:
    return may_act_as(g.who.role, Role.ADMIN)
