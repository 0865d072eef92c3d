"""The guard before the sockets: strangers are turned away before anything is held for them."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, session
from sqlalchemy.exc import SQLAlchemyError

from piio_webapp.logins import Logins

log = logging.getLogger(__name__)

SOCKETS = "/socket.io/"
MOST_SOCKETS = 110
"""Sockets that may be open, a few more than pages, as one that has just gone may not have been noticed yet."""

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def guarded(app: Flask, logins: Logins, count: Callable[[], int]) -> Wsgi:
    """Return the application behind the guard; `count` says how many sockets are open."""
    inner = app.wsgi_app

    def guard(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(SOCKETS):
            return inner(environ, start_response)
        try:
            with app.request_context(dict(environ)):
                who = logins.who(session.get("login"))
        except SQLAlchemyError as error:
            log.warning("a page cannot be let in: %s", error)
            text = "who is logged in cannot be asked now\n"
            return Response(text, 503, mimetype="text/plain")(environ, start_response)
        if who is None:
            return Response("log in first\n", 401, mimetype="text/plain")(environ, start_response)
        if "sid=" not in environ.get("QUERY_STRING", "") and count() >= MOST_SOCKETS:
            return Response("too many pages are open\n", 503, mimetype="text/plain")(environ, start_response)
        # A frame is some hundred bytes, and packing it for each socket anew cost as much as all else.
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return inner(environ, start_response)

    return guard
