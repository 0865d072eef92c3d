"""The web socket of each page: who may open it, what it may say, and that a page is never sent too much."""

import hashlib
import logging
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, request, session
from flask_socketio import SocketIO, join_room
from msgspec import ValidationError, convert
from sqlalchemy.exc import SQLAlchemyError

from piio_webapp.events import Ask, Look, PageSet, PageStop
from piio_webapp.hub import Hub
from piio_webapp.logins import Logins
from piio_webapp.message_queue import MessageQueue
from piio_webapp.open_page import OpenPage
from piio_webapp.open_pages import OpenPages, Taken, Wire
from piio_webapp.page_socket import write_at_once
from piio_webapp.people import Who
from piio_webapp.requests import Actor, Requests
from piio_webapp.socket_guard import guarded
from piio_webapp.stopping import Stops

log = logging.getLogger(__name__)

LARGEST_EVENT = 66_000
"""Bytes a page may send at once: a configuration, which a message may not exceed either."""

NOBODY_KNOWS = "the database of who is logged in cannot be reached: nothing was sent; try again"


class Json:
    """JSON that cannot carry NaN in either direction."""

    @staticmethod
    def dumps(document: Any, **_: Any) -> str:
        """Write JSON; NaN becomes null."""
        return orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Read JSON; ValueError for NaN and anything else that is none."""
        return orjson.loads(text)


def opened(app: Flask, hub: Hub, queue: MessageQueue | None) -> tuple[SocketIO, Wire]:
    """Open Socket.IO at its usual path; return it and how pages are reached through it."""
    socketio = SocketIO(
        app,
        async_mode="threading",
        async_handlers=False,  # in order, and no thread per event
        json=Json,
        max_http_buffer_size=LARGEST_EVENT,
        manage_session=True,
        always_connect=False,
        ping_interval=10,
        ping_timeout=10,
        logger=False,
        engineio_logger=False,
        client_manager=queue.manager() if queue else None,
    )
    server = app.extensions["socketio"].server
    write_at_once(server.eio)
    app.wsgi_app = guarded(app, hub.logins, lambda: len(server.eio.sockets))  # type: ignore[method-assign, assignment]
    wire = Wire(_sender(server), _closer(server), _away(socketio))
    _connections(socketio, hub.logins, hub.pages)
    _events(socketio, hub.logins, hub.pages, hub.requests, hub.stops, wire)
    return socketio, wire


def _connections(socketio: SocketIO, logins: Logins, pages: OpenPages) -> None:
    def connect(_: Any = None) -> bool:
        """Let in who is logged in; called by the server alone, and as an event it grants nothing."""
        login = session.get("login", "")
        who = logins.who(login)
        if who is None or not pages.opened(_sid(), login, who, request.remote_addr or ""):
            return False
        join_room(_room(login))
        return True

    def gone(_: Any = None) -> None:
        pages.closed(_sid())

    socketio.on_event("connect", connect)
    socketio.on_event("disconnect", gone)


def _events(socketio: SocketIO, logins: Logins, pages: OpenPages, requests: Requests, stops: Stops, wire: Wire) -> None:
    def checked(
        handle: Callable[[Who, OpenPage, Any], None],
        model: type[Any],
        unasked: Callable[[OpenPage, Any], None] | None = None,
    ) -> Callable[..., None]:
        """Wrap a handler: the person and the argument are looked at anew at every event.

        `unasked` is what is done when nobody can say who is logged in; without it nobody is asked, and nobody waits.
        """

        def handler(*arguments: Any) -> None:
            page = pages.of(_sid())
            if page is None or not page.allowance.taken():
                wire.close(_sid())
                return
            try:
                (argument,) = arguments
                wanted = convert(argument, model)
                who = logins.who(page.login) if unasked else page.who
                if who is None:
                    wire.close(page.sid)
                else:
                    handle(who, page, wanted)
            except (ValueError, ValidationError) as error:
                log.info("a page of %s sent what is no %s: %s", page.who.name, model.__name__, error)
            except SQLAlchemyError as error:
                log.warning("a page of %s cannot be served: %s", page.who.name, error)
                if unasked:
                    unasked(page, wanted)

        return handler

    def look(_: Who, page: OpenPage, wanted: Look) -> None:
        pages.look(page.sid, wanted.target)

    def set(who: Who, page: OpenPage, wanted: PageSet) -> None:
        if pages.begun(page):
            requests.set(Actor(who, page.address), wanted, lambda answer: pages.answer(page.sid, answer))

    def ask(who: Who, page: OpenPage, wanted: Ask) -> None:
        if pages.begun(page):
            requests.ask(Actor(who, page.address), wanted, lambda answer: pages.answer(page.sid, answer))

    def stop(who: Who, page: OpenPage, wanted: PageStop) -> None:
        pages.begin(page)
        stops.stop(
            Actor(who, page.address), wanted.agent, lambda told: pages.answer(page.sid, {"id": wanted.id, **told})
        )

    def look_unasked(page: OpenPage, wanted: Look) -> None:
        look(page.who, page, wanted)  # it was let in a moment ago

    def set_unasked(page: OpenPage, wanted: PageSet) -> None:
        if pages.begun(page):
            pages.answer(page.sid, {"id": wanted.id, "status": "refused", "reason": NOBODY_KNOWS})

    def ask_unasked(page: OpenPage, wanted: Ask) -> None:
        if pages.begun(page):
            failed = {"ok": False, "error": {"message": NOBODY_KNOWS}}
            pages.answer(page.sid, {"id": wanted.id, "answer": failed})

    socketio.on_event("look", checked(look, Look, look_unasked))
    socketio.on_event("set", checked(set, PageSet, set_unasked))
    socketio.on_event("stop", checked(stop, PageStop))  # whose log-in ended within the second may stop, too: it is safe
    socketio.on_event("ask", checked(ask, Ask, ask_unasked))


def _sender(server: Any) -> Callable[[list[str], bytes, Taken | None], None]:
    def send(sids: list[str], frame: bytes, taken: Taken | None) -> None:
        # Encoded once for all of them. They are ours: no message queue is asked for them.
        server.emit("frame", orjson.Fragment(frame), to=sids, callback=taken, ignore_queue=True)

    return send


def _closer(server: Any) -> Callable[[str], None]:
    def close(sid: str) -> None:
        """Tell the page that it is out, and hold nothing for it any more, without waiting for a slow one."""
        transport = server.eio.sockets.get(server.manager.eio_sid_from_sid(sid, "/"))
        server.disconnect(sid, namespace="/", ignore_queue=True)
        if transport is not None:
            transport.close(wait=False)

    return close


def _away(socketio: SocketIO) -> Callable[[str], None]:
    def send_away(login: str) -> None:
        """Through the message queue, where there is one; without it each web app finds out by itself."""
        socketio.emit("out", to=_room(login))

    return send_away


def _room(login: str) -> str:
    """Where the pages of a log-in are, at all web apps; its id is nobody's business."""
    return "login " + hashlib.sha256(login.encode()).hexdigest()


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]  # Flask-SocketIO's
