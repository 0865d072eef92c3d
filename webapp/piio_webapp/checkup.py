"""What `piio doctor` hears of the web app's part."""

import os
from collections.abc import Iterable
from importlib.metadata import version

import flask_socketio  # noqa: F401  (whoever has not installed the web app is told so)
from sqlalchemy.exc import SQLAlchemyError

from piio.checkup import Finding, Scope
from piio.errors import PiioError
from piio_webapp import database
from piio_webapp.message_queue import VARIABLE, MessageQueue
from piio_webapp.people import DATABASE

PART = "web app"


def checkup(_: Scope) -> Iterable[Finding]:
    """Say whether the servers that its variables name can be used; nothing is written."""
    yield Finding(PART, True, f"installed, with Flask {version('flask')}")
    if os.environ.get(DATABASE):
        yield _database(os.environ[DATABASE])
    if os.environ.get(VARIABLE):
        yield _message_queue(os.environ[VARIABLE])


def _database(url: str) -> Finding:
    try:
        engine = database.engine(url)
    except PiioError as error:
        return _wrong(str(error))
    try:
        engine.connect().close()
    except SQLAlchemyError as error:
        return _wrong(database.trouble(engine, error))
    return Finding(PART, True, f"its database {engine.url.render_as_string()} lets us in")


def _message_queue(url: str) -> Finding:
    try:
        queue = MessageQueue(url)
        trouble = queue.trouble()
    except PiioError as error:
        return _wrong(str(error))
    return _wrong(trouble) if trouble else Finding(PART, True, f"its message queue {queue.shown} lets us in")


def _wrong(text: str) -> Finding:
    message, _, remedy = text.rpartition(": " if "; " not in text else "; ")
    return Finding(PART, False, message, remedy)
