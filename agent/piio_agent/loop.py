"""The agent's one loop: what others post, and what is due by the clock, done one after the other."""

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable

from piio_agent.clock import Clock

log = logging.getLogger(__name__)

Action = Callable[[], None]

MOST_WAITING = 10_000
"""Actions that may wait; what comes on top is dropped and counted, or replaces what it makes out of date."""

SHARE = 0.02
"""Seconds that actions posted with `post_after` may take until it is everything else's turn: little enough for answers
that somebody waits for, enough that a flood of everything else does not silence them."""


class Timer:
    """Something that will be done at a time, unless it is cancelled."""

    def __init__(self, due: float, action: Action) -> None:
        self.due = due
        self.action: Action | None = action

    def cancel(self) -> None:
        """Don't do it; fine if it was done."""
        self.action = None


class Loop:
    """Runs actions on the thread that calls `run`.

    `post`, `post_newest` and `stop` may be called from any thread, the rest only from actions.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wake = threading.Condition()
        self._doing = threading.Lock()
        """Held by whoever does something."""
        self._waiting: deque[Action] = deque()
        self._newest: dict[Hashable, Action] = {}
        self._later: deque[tuple[Hashable, Action]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._stopping = False
        self._worst = 0.0
        self.dropped = 0

    @property
    def queued(self) -> int:
        """How many actions wait."""
        return len(self._waiting) + len(self._newest) + len(self._later)

    def post(self, action: Action) -> bool:
        """Do this soon; False: too much waits already, and it is dropped."""
        with self._wake:
            if len(self._waiting) >= MOST_WAITING:
                self.dropped += 1
                return False
            self._waiting.append(action)
            self._wake.notify()
            return True

    def post_after(self, action: Action, key: Hashable = None) -> bool:
        """Do this after what else waits; False: too many like it wait, and the oldest of them is dropped.

        With a key it is not dropped unless another one with that key comes after it. What is posted otherwise meanwhile
        overtakes it, and those that still wait at `stop` are not done.
        """
        with self._wake:
            full = len(self._later) >= MOST_WAITING
            if full:
                self._make_room()
            self._later.append((key, action))
            self._wake.notify()
            return not full

    def do_at_once(self, action: Action) -> bool:
        """Do this here and now, on the calling thread, if nothing is being done or waits; whether it was done.

        A change of thread takes as long as most of what is done here.
        """
        if self.queued or not self._doing.acquire(blocking=False):
            return False
        try:
            if self.queued or self._stopping:
                return False
            first = self._timers[0] if self._timers else None
            _attempt(action)
            sooner = bool(self._timers) and self._timers[0] is not first
        finally:
            self._doing.release()
        if sooner:
            with self._wake:
                self._wake.notify()
        return True

    def post_newest(self, key: Hashable, action: Action) -> None:
        """Do this soon; when too much waits, what was posted before with the same key is dropped."""
        with self._wake:
            if key in self._newest or len(self._waiting) >= MOST_WAITING:
                self._replace(key, action)
            else:
                self._waiting.append(action)
            self._wake.notify()

    def _make_room(self) -> None:
        key, oldest = self._later.popleft()
        if key is None:
            self.dropped += 1
        else:  # being the oldest, it overtakes nothing that came before it
            self._replace(key, oldest)

    def _replace(self, key: Hashable, action: Action) -> None:
        # To the end, not into the old place: else what came between would be done after it, and stay.
        self.dropped += self._newest.pop(key, None) is not None
        self._newest[key] = action

    def after(self, seconds: float, action: Action) -> Timer:
        """Do this once, in so many seconds."""
        timer = Timer(self._clock.monotonic() + seconds, action)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def every(self, seconds: float, action: Action) -> None:
        """Do this now and then every so many seconds, without drift; what was missed is left out."""
        begin = self._clock.monotonic()

        def again() -> None:
            try:
                action()
            finally:
                turns = (self._clock.monotonic() - begin) // seconds + 1
                timer = Timer(begin + turns * seconds, again)
                heapq.heappush(self._timers, (timer.due, next(self._order), timer))

        self.after(0, again)

    def take_lateness(self) -> float:
        """Return by how many seconds the loop was late at worst since the last call."""
        worst, self._worst = self._worst, 0.0
        return worst

    def stop(self) -> None:
        """End `run` soon; what was posted with `post` or `post_newest` and is not done by then is for `drain`."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def run(self) -> None:
        """Do everything, until `stop`."""
        while not self._stopping:
            self._wait()
            with self._doing:
                self._do_due()
                if not self._stopping:
                    self._do_posted()
                    self._do_later()

    def drain(self) -> None:
        """Do what was posted, but with `post_after`; for after `run`, on its thread."""
        for action in self._take():
            _attempt(action)

    def _wait(self) -> None:
        with self._wake:
            if not self.queued and not self._stopping:
                self._wake.wait(self._pause())

    def _take(self) -> list[Action]:
        with self._wake:
            actions = [*self._waiting, *self._newest.values()]
            self._waiting.clear()
            self._newest.clear()
            return actions

    def _do_posted(self) -> None:
        for action in self._take():
            _attempt(action)
            self._do_due()

    def _do_later(self) -> None:
        until = self._clock.monotonic() + SHARE
        while self._later and not self._stopping:
            with self._wake:
                _, action = self._later.popleft()
            _attempt(action)
            self._do_due()
            if self._clock.monotonic() >= until:
                return

    def _pause(self) -> float | None:
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - self._clock.monotonic())

    def _do_due(self) -> None:
        if not self._timers:
            return
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now and not self._stopping:
            due, _, timer = heapq.heappop(self._timers)
            if timer.action:
                self._worst = max(self._worst, now - due)
                _attempt(timer.action)


def _attempt(action: Action) -> None:
    """Do it; a mistake in one action must not end the loop that keeps outputs safe."""
    try:
        action()
    except Exception:
        log.exception("something was not handled")
