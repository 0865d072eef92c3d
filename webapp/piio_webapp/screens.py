"""All pages that are open: who is told what has changed, and the thread that sends frames."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from piio_webapp import frames
from piio_webapp.logins import Logins
from piio_webapp.mirror import Change, Mirror
from piio_webapp.screen import Screen

log = logging.getLogger(__name__)

FRAME = 0.05
HEARTBEAT = 0.5
"""Seconds after which a page hears of us even when nothing changes."""

SWEEP = 1.0
"""Seconds between two looks at who has been logged out."""

MOST_SCREENS = 100
MOST_OF_A_LOGIN = 20

READINGS = frozenset(frames.READINGS)


class Wire(Struct, frozen=True):
    """How pages are reached: send a frame, with what to call when it was taken; and close."""

    send: Callable[[str, dict[str, Any], Callable[..., None]], None]
    close: Callable[[str], None]


class Screens:
    """The open pages; methods may be called from any thread."""

    def __init__(self, logins: Logins, on_looks: Callable[[set[str]], None]) -> None:
        self._logins = logins
        self._on_looks = on_looks
        self._screens: dict[str, Screen] = {}
        self._mirror = Mirror("", lambda _: None)
        self._wire = Wire(lambda *_: None, lambda _: None)
        self._looks = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def start(self, mirror: Mirror, wire: Wire) -> None:
        """Begin to send."""
        self._mirror, self._wire = mirror, wire
        self._thread.start()

    def stop(self) -> None:
        """Close every page's socket."""
        self._stopping.set()
        self._wake.set()
        for sid in list(self._screens):
            self._wire.close(sid)

    def opened(self, sid: str, login: str) -> bool:
        """Take a page in; False when there are too many. A page that is in already stays as it is."""
        with self._mirror.lock:
            if sid in self._screens:
                return True
            of_login = sum(screen.login == login for screen in self._screens.values())
            if len(self._screens) >= MOST_SCREENS or of_login >= MOST_OF_A_LOGIN:
                return False
            self._screens[sid] = Screen(sid, login)
        return True

    def closed(self, sid: str) -> None:
        """Forget a page."""
        with self._mirror.lock:
            self._screens.pop(sid, None)
        self._tell_looks()

    def of(self, sid: str) -> Screen | None:
        """Return a page, None when it is closed."""
        return self._screens.get(sid)

    def look(self, sid: str, agent: str | None, raws: bool) -> None:
        """Turn a page to a board, or to the list of them."""
        with self._mirror.lock:
            screen = self._screens.get(sid)
            if screen:
                screen.look(agent, raws)
        self._tell_looks()
        self._wake.set()

    def begun(self, screen: Screen) -> bool:
        """Count one more answer that the page waits for; False when it waits for too many."""
        with self._mirror.lock:
            if screen.may_ask:
                screen.open += 1
                return True
            return False

    def answer(self, sid: str, answer: Any) -> None:
        """Tell a page the answer to what it asked; it goes with the next frame."""
        with self._mirror.lock:
            screen = self._screens.get(sid)
            if screen:
                screen.answers.append(answer)
        self._wake.set()

    def note(self, note: dict[str, Any], agent: str | None = None) -> None:
        """Tell everybody, or who looks at a board, that something happened; who is far behind misses the oldest."""
        with self._mirror.lock:
            for screen in self._screens.values():
                if agent is None or screen.agent == agent:
                    screen.notes.append(note)
        self._wake.set()

    def changed(self, change: Change) -> None:
        """Remember for every page concerned what has changed."""
        with self._mirror.lock:
            for screen in self._screens.values():
                _touch(screen, change)
        self._wake.set()

    def close_login(self, login: str) -> None:
        """Close the sockets of a log-in that has ended."""
        for screen in list(self._screens.values()):
            if screen.login == login:
                self._wire.close(screen.sid)

    def _tell_looks(self) -> None:
        with self._looks:  # not the mirror's lock: what is called may wait for the connection's
            with self._mirror.lock:
                agents = {screen.agent for screen in self._screens.values() if screen.agent is not None}
            self._on_looks(agents)

    def _run(self) -> None:
        swept = time.monotonic()
        while not self._stopping.is_set():
            self._wake.wait(HEARTBEAT / 2)
            self._wake.clear()
            try:
                self._send_frames()
                if time.monotonic() - swept >= SWEEP:
                    self._sweep()
                    swept = time.monotonic()
            except Exception:
                log.exception("frames could not be sent")
            self._stopping.wait(FRAME)

    def _send_frames(self) -> None:
        now = time.monotonic()
        due = []
        with self._mirror.lock:
            for screen in self._screens.values():
                if screen.keeps_up and (screen.has_news or now - screen.told_at >= HEARTBEAT):
                    due.append((screen, frames.taken(screen, self._mirror)))
                    screen.unacknowledged += 1
                    screen.told_at = now
        for screen, frame in due:
            self._wire.send(screen.sid, frame, self._acknowledged(screen))

    def _acknowledged(self, screen: Screen) -> Callable[..., None]:
        def acknowledged(*_: Any) -> None:
            with self._mirror.lock:
                screen.unacknowledged -= 1
                behind = screen.has_news
            if behind:
                self._wake.set()

        return acknowledged

    def _sweep(self) -> None:
        """Close the sockets of who was removed, changed or logged out, by whatever process."""
        screens = list(self._screens.values())
        if screens:
            valid = self._logins.those({screen.login for screen in screens})
            for screen in screens:
                if screen.login not in valid:
                    self._wire.close(screen.sid)


def _touch(screen: Screen, change: Change) -> None:
    if change.agent is None:
        screen.touch("link", "")
    elif change.kind in READINGS:
        if screen.agent == change.agent and change.key is not None and (screen.raws or change.kind != "raws"):
            screen.touch(change.kind, change.key)
        elif screen.agent is None and change.kind == "qualities":
            screen.touch("boards", change.agent)
    elif screen.agent == change.agent and change.kind != "event":
        screen.touch("board", change.kind)
    elif screen.agent is None and change.kind not in ("health", "event"):
        screen.touch("boards", change.agent)
