"""Logging in and out: a plain form that needs no JavaScript, slow for whoever guesses."""

import functools
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request, session, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from piio_webapp.hub import Hub

WRONG_PER_ADDRESS = "10 per minute"
WRONG_PER_NAME = "10 per minute"

blueprint = Blueprint("login_form", __name__)
limiter = Limiter(get_remote_address)

View = TypeVar("View", bound=Callable[..., Any])


def hub() -> Hub:
    """Return the running web app's parts."""
    found: Hub = current_app.extensions["hub"]
    return found


def only_people(view: View) -> View:
    """Show a page only to who is logged in; others go to the log-in and come back after it."""

    @functools.wraps(view)
    def guarded(*arguments: Any, **named: Any) -> Any:
        who = hub().logins.who(session.get("login"))
        if who is None:
            wanted = request.full_path.rstrip("?")
            return redirect(url_for("login_form.login", next=None if wanted == "/" else wanted))
        g.who = who
        return view(*arguments, **named)

    return guarded  # type: ignore[return-value]


def _name() -> str:
    return "name:" + request.form.get("name", "")[:100].lower()


def _was_wrong(response: Response) -> bool:
    return response.status_code == 401


@blueprint.get("/login")
def login() -> Any:
    """The form, or straight on for who is logged in."""
    if hub().logins.who(session.get("login")):
        return redirect(_next())
    return render_template("login.html", next=_next())


@blueprint.post("/login")
@limiter.limit(WRONG_PER_ADDRESS, deduct_when=_was_wrong)
@limiter.limit(WRONG_PER_NAME, key_func=_name, deduct_when=_was_wrong)
def log_in() -> Any:
    """Let in whose name and password fit, in a session of its own."""
    name = request.form.get("name", "").strip()
    who = hub().logins.verified(name, request.form.get("password", ""))
    if who is None:
        message = "The name or the password is wrong."
        return render_template("login.html", next=_next(), name=name, message=message), 401
    return _let_in(who.name, _next())


@blueprint.post("/logout")
def log_out() -> Any:
    """End the log-in and close its sockets."""
    id = session.get("login")
    if isinstance(id, str):
        hub().logins.ended(id)
        hub().pages.send_away(id)
    session.clear()
    return redirect(url_for("login_form.login"))


@blueprint.get("/first/<token>")
@limiter.limit("20 per minute")
def first(token: str) -> Any:
    """Let the first person in by the link that was printed at the start; it works once."""
    options = hub().options
    known, given = (hashlib.sha256(text.encode()).digest() for text in (options.first_token, token))
    if not options.first_token or not hmac.compare_digest(known, given):
        abort(404)
    if not hub().logins.link_used(token):
        return render_template("message.html", title="This link was used already", text="Please log in instead."), 410
    return _let_in(options.first_user, _home())


def _let_in(name: str, to: str) -> Any:
    id = hub().logins.begun(name)
    if id is None:
        text = f"There is no person '{name}' here: make one with `piio user add`."
        return render_template("message.html", title="Nobody of that name", text=text), 403
    session.clear()
    session.permanent = True
    session["login"] = id
    return redirect(to)


def _next() -> str:
    """Where to go after the log-in: a page of ours, never another host's."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if ours and wanted != "/" else _home()


def _home() -> str:
    """Where people arrive: at the one board that has displays, or at the list when there are several or none."""
    cache = hub().cache
    with cache.lock:
        shown = [name for name, board in cache.boards.items() if board.documents.get("config", {}).get("displays")]
    return url_for("pages.board", agent=shown[0]) if len(shown) == 1 else "/"
