"""Serving the application: one gunicorn worker with many threads, which ends when its arbiter does."""

import logging
import os
import socket
import sys
import threading
from typing import Any

from gunicorn.app.base import BaseApplication

from piio_webapp.application import create_app
from piio_webapp.errors import ListenError
from piio_webapp.open_pages import MOST_PAGES
from piio_webapp.options import Options

log = logging.getLogger(__name__)

THREADS = MOST_PAGES + 28
"""Each web socket holds a thread; the others serve pages."""

STALLED = 20_000
"""Milliseconds a browser may leave what was sent to it untaken, before its connection is dropped."""

GRACE = 2
"""Seconds the worker may take to stop; then it is killed."""


def listening(listen: str, port: int) -> socket.socket:
    """Return a socket that listens; ListenError says who has the port or what is wrong with the address."""
    try:
        family = socket.getaddrinfo(listen, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        made = socket.create_server((listen, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else str(error).rstrip(".")
        raise ListenError(f"{listen} port {port} cannot be listened on: {reason}; choose another --port") from error
    made.set_inheritable(True)
    for option, value in ((socket.TCP_NODELAY, 1), (socket.TCP_USER_TIMEOUT, STALLED)):
        made.setsockopt(socket.IPPROTO_TCP, option, value)  # every connection inherits it
    return made


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, told everything here: neither its command line nor its files are read."""

    def __init__(self, options: Options, listener: socket.socket) -> None:
        self._piio = options
        self._listener = listener
        self._hub: Any = None
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn needs to know."""
        settings = {
            "bind": f"fd://{self._listener.fileno()}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "worker_connections": 4 * THREADS,
            "graceful_timeout": GRACE,
            "keepalive": 1,
            "control_socket_disable": True,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "piio webapp",
            "worker_exit": self._worker_exit,
            "post_worker_init": self._post_worker_init,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the application, in the worker: threads do not survive a fork."""
        app, self._hub, _ = create_app(self._piio)
        return app

    def _post_worker_init(self, worker: Any) -> None:
        threading.Thread(target=self._guard, args=(worker, os.getppid()), name="guard", daemon=True).start()

    def _worker_exit(self, _: Any, __: Any) -> None:
        """End without waiting for threads that web sockets hold."""
        if self._hub:
            self._hub.stop()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def _guard(self, worker: Any, arbiter: int) -> None:
        """Close pages as soon as the worker is to stop; end it when its arbiter was killed, which frees the port."""
        never = threading.Event()
        while worker.alive and not never.wait(0.1):
            if os.getppid() != arbiter:
                os._exit(1)
        if self._hub:
            self._hub.stop()


def served(options: Options) -> None:
    """Listen and serve until SIGTERM or SIGINT, which end the process."""
    listener = listening(options.listen, options.port)
    host = f"[{options.listen}]" if ":" in options.listen else options.listen
    print(f"http://{host}:{listener.getsockname()[1]}", flush=True)
    Server(options, listener).run()
