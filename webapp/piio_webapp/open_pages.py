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
from piio_webapp.view import Target, View
from piio_webapp.views import Views

log = logging.getLogger(__name__)

ROUND = 0.005
"""Seconds at least between two looks at who is to be told."""

HEARTBEAT = 0.5
"""Seconds after which a page hears of us even when nothing changes."""

MOST_PAGES = 100
MOST_OF_A_LOGIN = 20

Taken = Callable[..., None]
"""Called when a page acknowledges a frame."""


class Wire(Struct, frozen=True):
    """How pages are reached."""

    send: Callable[[list[str], bytes, Taken | None], None]
    """Sends some pages a frame, or one of them, which then says when it has taken it."""
    close: Callable[[str], None]
    send_away: Callable[[str], None]
    """Tells the pages of a log-in, at whatever web app, that it has ended."""


class Parcel(Struct, frozen=True):
    """A frame and who gets it; with `taken` it is one page."""

    pages: list[OpenPage]
    frame: bytes
    taken: Taken | None = None


class OpenPages:
    """The open pages; methods may be called from any thread."""

    def __init__(self, on_looks: Callable[[set[Target]], None]) -> None:
        self._on_looks = on_looks
        self._pages: dict[str, OpenPage] = {}
        self._views = Views()
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
            page = self._pages[sid] = OpenPage(sid, login, who, address)
            self._stir(self._views.turn(page, None))
        return True

    def closed(self, sid: str) -> None:
        """Forget a page."""
        with self._cache.lock:
            page = self._pages.pop(sid, None)
            if page:
                self._views.leave(page)
        self._tell_looks()

    def of(self, sid: str) -> OpenPage | None:
        """Return a page, None when it is closed."""
        return self._pages.get(sid)

    def look(self, sid: str, target: Target) -> None:
        """Turn a page to a board, or to the list of them."""
        with self._cache.lock:
            page = self._pages.get(sid)
            if page:
                self._stir(self._views.turn(page, target))
        self._tell_looks()

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
                self._stir(self._views.of(page))

    def note(self, note: dict[str, Any], agent: str | None = None) -> None:
        """Tell everybody, or who looks at a board, that something happened; who is far behind misses the oldest."""
        with self._cache.lock:
            for view in self._views.all() if agent is None else self._views.at(agent):
                for page in view.pages.values():
                    page.notes.append(note)
                self._stir(view)

    def changed(self, change: Change) -> None:
        """Remember for every page concerned what has changed."""
        with self._cache.lock:
            if self._views.changed(change):
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
                targets = self._views.targets
            self._on_looks(targets)

    def _stir(self, view: View | None) -> None:
        if view and not view.stirred:
            view.stirred = True
            self._wake.set()

    def _run(self) -> None:
        pause = HEARTBEAT
        while not self._stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            try:
                pause = self._send_frames()
            except Exception:
                log.exception("frames could not be sent")
                pause = HEARTBEAT
            self._stopping.wait(ROUND)

    def _send_frames(self) -> float:
        """Tell the pages of each view whose time has come; return in how many seconds the next one's will have."""
        now = time.monotonic()
        due: list[Parcel] = []
        pause = HEARTBEAT
        with self._cache.lock:
            for view in self._views.all():
                wait = view.pace.wait(now)
                if wait == 0 and (view.stirred or now >= view.beat_at):
                    told = self._told(view, now)
                    if told:
                        view.pace.gone(now, len(self._pages))
                    due += told
                pause = min(pause, wait if view.stirred and wait else view.beat_at - now)
        for parcel in due:
            self._send(parcel)
        return pause

    def _send(self, parcel: Parcel) -> None:
        try:
            self._wire.send([page.sid for page in parcel.pages], parcel.frame, parcel.taken)
        except Exception as error:  # one of them is being closed: which have it nobody knows
            log.debug("a frame may not have reached all: %s", error)
            with self._cache.lock:
                for page in parcel.pages:
                    page.full = True

    def _told(self, view: View, now: float) -> list[Parcel]:
        """Give each page its next frame; pages that know the same get the same bytes."""
        view.stirred = False
        view.beat_at = now + HEARTBEAT
        beat = frames.heartbeat()
        same: dict[int, Parcel] = {}
        parcels: list[Parcel] = []
        for page in view.pages.values():
            if not page.keeps_up:
                continue
            if not page.has_news(view.number) and now - page.told_at < HEARTBEAT:
                view.beat_at = min(view.beat_at, page.told_at + HEARTBEAT)
                continue
            number, own = page.told, frames.own(page)
            parcel = None if own or page.full else same.get(number)
            if parcel is None:
                frame = frames.encoded({**beat, **frames.told(view, page, self._cache), **own})
                parcel = Parcel([], frame)
                parcels.append(parcel)
                if not own and not page.full:
                    same[number] = parcel
            if page.sent(now):
                parcels.append(Parcel([page], parcel.frame, self._acknowledged(page, now)))
            else:
                parcel.pages.append(page)
            page.full, page.told = False, view.number
        return [parcel for parcel in parcels if parcel.pages]

    def _acknowledged(self, page: OpenPage, sent: float) -> Taken:
        def acknowledged(*_: Any) -> None:
            with self._cache.lock:
                page.took(time.monotonic() - sent)
                view = self._views.of(page)
                if view and page.has_news(view.number):
                    self._stir(view)

        return acknowledged
