"""All pages that are open: who is told what has changed, and the thread that sends frames."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from piio_webapp import frames
from piio_webapp.board_cache import BoardCache, Change
from piio_webapp.open_page import OpenPage
from piio_webapp.people import Who

log = logging.getLogger(__name__)

FRAME = 0.05
HEARTBEAT = 0.5
"""Seconds after which a page hears of us even when nothing changes."""

MOST_PAGES = 100
MOST_OF_A_LOGIN = 20

READINGS = frozenset(frames.READINGS)


class Wire(Struct, frozen=True):
    """How pages are reached: send a frame, with what to call when it was taken; close; send a log-in's pages away."""

    send: Callable[[str, dict[str, Any], Callable[..., None]], None]
    close: Callable[[str], None]
    send_away: Callable[[str], None]
    """Tells the pages of a log-in, at whatever web app, that it has ended."""


class OpenPages:
    """The open pages; methods may be called from any thread."""

    def __init__(self, on_looks: Callable[[set[str]], None]) -> None:
        self._on_looks = on_looks
        self._pages: dict[str, OpenPage] = {}
        self._cache = BoardCache("", lambda _: None)
        self._wire = Wire(lambda *_: None, lambda _: None, lambda _: None)
        self._looks = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def start(self, cache: BoardCache, wire: Wire) -> None:
        """Begin to send."""
        self._cache, self._wire = cache, wire
        self._thread.start()

    def stop(self) -> None:
        """Close every page's socket."""
        self._stopping.set()
        self._wake.set()
        for sid in list(self._pages):
            self._wire.close(sid)

    def opened(self, sid: str, login: str, who: Who, address: str) -> bool:
        """Take a page in; False when there are too many. A page that is in already stays as it is."""
        with self._cache.lock:
            if sid in self._pages:
                return True
            of_login = sum(page.login == login for page in self._pages.values())
            if len(self._pages) >= MOST_PAGES or of_login >= MOST_OF_A_LOGIN:
                return False
            self._pages[sid] = OpenPage(sid, login, who, address)
        return True

    def closed(self, sid: str) -> None:
        """Forget a page."""
        with self._cache.lock:
            self._pages.pop(sid, None)
        self._tell_looks()

    def of(self, sid: str) -> OpenPage | None:
        """Return a page, None when it is closed."""
        return self._pages.get(sid)

    def look(self, sid: str, agent: str | None, raws: bool) -> None:
        """Turn a page to a board, or to the list of them."""
        with self._cache.lock:
            page = self._pages.get(sid)
            if page:
                page.look(agent, raws)
        self._tell_looks()
        self._wake.set()

    def begun(self, page: OpenPage) -> bool:
        """Count one more answer that the page waits for; False when it waits for too many."""
        with self._cache.lock:
            if page.may_ask:
                page.open += 1
                return True
            return False

    def begin(self, page: OpenPage) -> None:
        """Count one more answer, however many the page waits for."""
        with self._cache.lock:
            page.open += 1

    def answer(self, sid: str, answer: Any) -> None:
        """Tell a page the answer to what it asked; it goes with the next frame."""
        with self._cache.lock:
            page = self._pages.get(sid)
            if page:
                page.answers.append(answer)
        self._wake.set()

    def note(self, note: dict[str, Any], agent: str | None = None) -> None:
        """Tell everybody, or who looks at a board, that something happened; who is far behind misses the oldest."""
        with self._cache.lock:
            for page in self._pages.values():
                if agent is None or page.agent == agent:
                    page.notes.append(note)
        self._wake.set()

    def changed(self, change: Change) -> None:
        """Remember for every page concerned what has changed."""
        with self._cache.lock:
            for page in self._pages.values():
                _touch(page, change)
        self._wake.set()

    def logins(self) -> set[str]:
        """Return the log-ins that have a page open."""
        return {page.login for page in list(self._pages.values())}

    def send_away(self, login: str) -> None:
        """Tell the pages of a log-in that has ended, at whatever web app, and close our own."""
        self._wire.send_away(login)
        self.close_login(login)

    def close_login(self, login: str) -> None:
        """Close the sockets of a log-in that has ended."""
        for page in list(self._pages.values()):
            if page.login == login:
                self._wire.close(page.sid)

    def _tell_looks(self) -> None:
        with self._looks:  # not the cache's lock: what is called may wait for the connection's
            with self._cache.lock:
                agents = {page.agent for page in self._pages.values() if page.agent is not None}
            self._on_looks(agents)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(HEARTBEAT / 2)
            self._wake.clear()
            try:
                self._send_frames()
            except Exception:
                log.exception("frames could not be sent")
            self._stopping.wait(FRAME)

    def _send_frames(self) -> None:
        now = time.monotonic()
        due = []
        with self._cache.lock:
            for page in self._pages.values():
                if page.keeps_up and (page.has_news or now - page.told_at >= HEARTBEAT):
                    due.append((page, frames.taken(page, self._cache)))
                    page.unacknowledged += 1
                    page.told_at = now
        for page, frame in due:
            self._wire.send(page.sid, frame, self._acknowledged(page))

    def _acknowledged(self, page: OpenPage) -> Callable[..., None]:
        def acknowledged(*_: Any) -> None:
            with self._cache.lock:
                page.unacknowledged -= 1
                behind = page.has_news
            if behind:
                self._wake.set()

        return acknowledged


def _touch(page: OpenPage, change: Change) -> None:
    if change.agent is None:
        page.touch("link", "")
    elif change.kind in READINGS:
        if page.agent == change.agent and change.key is not None and (page.raws or change.kind != "raws"):
            page.touch(change.kind, change.key)
        elif page.agent is None and change.kind == "qualities":
            page.touch("boards", change.agent)
    elif page.agent == change.agent and change.kind != "event":
        page.touch("board", change.kind)
    elif page.agent is None and change.kind not in ("health", "event"):
        page.touch("boards", change.agent)
