"""A thread for the outputs of an interface: it keeps their leases while everything else may hang."""

import logging
import threading
from collections import deque
from contextlib import suppress

from piio_agent.clock import Clock
from piio_agent.outputs.engine import Engine
from piio_agent.outputs.messages import Change, Close, Heard, Message, Open, Order, Stop, StopAll

log = logging.getLogger(__name__)

MOST_ORDERS = 1000
"""Orders that may wait for a slow driver."""

MOST_BEACONS = 3600
"""Beacons of the bridge that may wait for a slow driver; with the oldest forgotten, it counts as lost for a while."""

LONGEST_WAIT = 1.0
"""Seconds after which a time that is due is looked at again."""


class Runner:
    """Hands messages to an engine, one after the other, and lets it do what is due."""

    def __init__(self, engine: Engine, clock: Clock, name: str = "outputs") -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._bell = threading.Lock()
        """Released when there is something to do: a plain lock wakes sooner than a condition, which is made of some."""
        self._waiting: deque[Message] = deque()
        self._heard: deque[float] = deque(maxlen=MOST_BEACONS)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def send(self, message: Message) -> bool:
        """Hand a message over; False: an order was not taken, as too many wait."""
        with self._lock:
            if isinstance(message, Order) and len(self._waiting) >= MOST_ORDERS:
                return False
            if isinstance(message, Open | Change | Close):
                # A driver that hangs must not make a heap of what is out of date.
                self._waiting = deque(each for each in self._waiting if not _replaces(message, each))
            if isinstance(message, StopAll):
                self._stop_at_once(message)
            elif isinstance(message, Heard):
                self._heard.append(self._clock.boottime())
            else:
                self._waiting.append(message)
        self._ring()
        return True

    def stop(self, timeout: float) -> bool:
        """Let all outputs go safely and end; False if a driver hangs and was left behind."""
        self.send(Stop())
        return self.ended(timeout)

    def ended(self, timeout: float) -> bool:
        """Wait for the end that was asked for; False if it does not come within `timeout` seconds."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it was rung already
            self._bell.release()

    def _stop_at_once(self, stop: StopAll) -> None:
        """Put it first, and take the orders that wait out of its way: they must act neither before nor after it."""
        before = [each for each in self._waiting if isinstance(each, StopAll)]
        waited = [order for each in before for order in each.waiting]
        waited += [each for each in self._waiting if isinstance(each, Order)]
        at = stop.at if stop.at is not None else max((each.at for each in before if each.at is not None), default=None)
        rest = [each for each in self._waiting if not isinstance(each, Order | StopAll)]
        # What is opened after it may come on by its policy: it is told once more.
        again = [StopAll(stop.by)] if any(isinstance(each, Open) for each in rest) else []
        self._waiting = deque([StopAll(stop.by, tuple(waited), at), *rest, *again])

    def _run(self) -> None:
        while True:
            heard, message = self._next()
            try:
                for at in heard:
                    self._engine.hear(at)
                # What is due comes first: a late order must not act before the fail-safe that was due.
                self._engine.tick()
                if message:
                    self._engine.handle(message)
            except Exception:
                log.exception("the outputs could not do something")
            if isinstance(message, Stop):
                return

    def _next(self) -> tuple[list[float], Message | None]:
        """When the bridge was heard meanwhile, and what is to be done next."""
        if not self._waiting and not self._heard:
            due = self._engine.due()
            # Waiting stands still while the board is suspended, and due times do not: look again every second.
            self._bell.acquire(timeout=-1 if due is None else min(max(0.0, due - self._clock.boottime()), LONGEST_WAIT))
        with self._lock:
            heard = list(self._heard)
            self._heard.clear()
            return heard, self._waiting.popleft() if self._waiting else None


def _replaces(new: Open | Change | Close, old: Message) -> bool:
    return type(old) is type(new) and isinstance(old, Open | Change | Close) and old.channel == new.channel
