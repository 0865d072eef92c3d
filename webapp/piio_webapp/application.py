"""The Flask application, made from its options."""

import logging
from datetime import timedelta
from typing import Any

from flask import Flask, render_template
from flask.sessions import SecureCookieSessionInterface
from flask_socketio import SocketIO
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from piio.private_file import make_private_folder
from piio_webapp import audit_page, display_door, login_form, pages, sockets, state_folder
from piio_webapp.headers import secured
from piio_webapp.hub import Hub
from piio_webapp.logins import LASTING
from piio_webapp.message_queue import MessageQueue
from piio_webapp.options import Options
from piio_webapp.tables import opened

log = logging.getLogger(__name__)

LARGEST_FORM = 16_384
"""Bytes of the largest request: a log-in. Everything else goes through the socket."""


class CookieForThisScheme(SecureCookieSessionInterface):
    """A cookie that is marked secure where the page came over TLS, so that plain http on a bench works too."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  (Flask's signature)
        """Return whether this request came over TLS."""
        from flask import request

        return request.is_secure


def create_app(options: Options) -> tuple[Flask, Hub, SocketIO]:
    """Make the application and start what runs beside it: the connection to the broker and the frames."""
    state = make_private_folder(options.state)
    own = state_folder.own_key(state)
    key = state_folder.read_key(options.session_key) if options.session_key else own
    queue = MessageQueue(options.message_queue, state_folder.group(key)) if options.message_queue else None
    hub = Hub(options, opened(state, options.database), state_folder.instance(own))
    app = Flask(__name__)
    app.config.update(_settings(key, options))
    app.config.update(queue.throttling() if queue else {"RATELIMIT_STORAGE_URI": "memory://"})
    app.session_interface = CookieForThisScheme()
    app.extensions["hub"] = hub
    CSRFProtect(app)
    login_form.limiter.init_app(app)
    for blueprint in (login_form.blueprint, pages.blueprint, audit_page.blueprint, display_door.blueprint):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, _explained)
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(SQLAlchemyError, _no_database)
    app.after_request(secured)
    socketio, wire = sockets.opened(app, hub, queue)
    if options.proxies:
        number = options.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number, x_host=number)  # type: ignore[method-assign]
    hub.start(wire)
    return app, hub, socketio


def _settings(key: bytes, options: Options) -> dict[str, Any]:
    return {
        "SECRET_KEY": key,
        "SESSION_COOKIE_NAME": "piio",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(seconds=LASTING),
        "MAX_CONTENT_LENGTH": LARGEST_FORM,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "DISPLAY_FOLDERS": [display_door.OURS, *([options.displays] if options.displays else [])],
    }


EXPLAINED = {
    403: ("Not allowed", "Your role does not allow this: ask an admin."),
    404: ("Nothing here", "There is no such page."),
    429: ("Too many attempts", "Please wait a minute and try again."),
}


def _explained(error: HTTPException) -> Any:
    code = error.code or 500
    title, text = EXPLAINED.get(code, (error.name, error.description or ""))
    return render_template("message.html", title=title, text=text), code


def _form_too_old(_: CSRFError) -> Any:
    text = "The form was too old, or cookies are off: please try again."
    return render_template("message.html", title="Please try again", text=text), 400


def _no_database(error: SQLAlchemyError) -> Any:
    log.warning("a request cannot be answered: %s", error)
    text = "The database of people and log-ins cannot be reached now. Pages that are open stay open."
    return render_template("message.html", title="Please try again", text=text), 503
