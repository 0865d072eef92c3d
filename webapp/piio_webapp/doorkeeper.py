"""Closes the pages of who has been logged out, changed or removed, by whatever process or web app."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from piio_webapp.logins import Logins
from piio_webapp.open_pages import OpenPages

log = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds between two looks at who is still logged in."""


class Doorkeeper:
    """Looks on a thread of its own: a database that keeps it waiting holds up no frame."""

    def __init__(self, logins: Logins, pages: OpenPages) -> None:
        self._logins = logins
        self._pages = pages
        self._stopping = threading.Event()
        self._blind = False
        self._thread = threading.Thread(target=self._run, name="doorkeeper", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(PERIOD):
            try:
                self._look()
                self._blind = False
            except SQLAlchemyError as error:
                if not self._blind:
                    log.warning("who is logged in cannot be asked, open pages stay open until it can: %s", error)
                self._blind = True
            except Exception:
                log.exception("pages could not be closed")

    def _look(self) -> None:
        open = self._pages.logins()
        for login in open - self._logins.those(open).keys() if open else ():
            self._pages.close_login(login)
