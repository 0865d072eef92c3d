"""Starts the services in their order, keeps them running, and stops them in the opposite order."""

import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from piio.child import WAITED_FOR
from piio.errors import PiioError
from piio.up.service import TROUBLE, Service, describe

START_TIMEOUT = 45.0
"""Seconds an installation may take until all is at work."""

FIRST_DEATHS = 2
"""A service that dies this often before it was ever at work is given up."""

PAUSE = 0.8
"""Seconds before a service that died young is started again; one that had been at work is started at once."""

TOLD = 5
"""Lines a service may say on the terminal in ten seconds; its log has all of them."""

STOP_TIMEOUTS = {"agent": 3.0, "webapp": 3.0, "bridge": 2.5, "broker": 2.5}
"""Seconds each may take to end; the agent and the web app use theirs together."""


class StartFailed(PiioError, RuntimeError):
    """The installation did not come up."""


class Ended(Struct, frozen=True):
    """A service's process has ended."""

    service: Service
    status: int


class Ready(Struct, frozen=True):
    """A service has shown that it is at work."""

    name: str


class Stop(Struct, frozen=True):
    """Somebody wants everything stopped."""


class Due(Struct, frozen=True):
    """A service that died young may be started again."""

    service: Service


Event = Ended | Ready | Stop | Due


class Supervisor:
    """Keeps services running. Everything happens in the main thread, which takes events from one queue."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._services: list[Service] = []
        self._deaths: dict[str, int] = {}
        self._up = False
        self._stopping = False
        self._told: dict[str, deque[float]] = {}

    def listen_for_signals(self) -> None:
        """Turn SIGINT, SIGTERM and SIGHUP (blocked before, see `piio.child`) into events."""

        def wait() -> None:
            while True:
                if signal.sigwait(WAITED_FOR) is not signal.SIGCHLD:
                    self._events.put(Stop())

        threading.Thread(target=wait, name="signals", daemon=True).start()

    def report_ready(self, name: str) -> None:
        """Say that a service is at work; from any thread."""
        self._events.put(Ready(name))

    def report_end(self, service: Service, status: int) -> None:
        """Say that a service's process has ended; from any thread."""
        self._events.put(Ended(service, status))

    def report_line(self, service: Service, line: str) -> None:
        """Pass trouble on to the person; from any thread."""
        if self._up and not self._stopping and TROUBLE.search(line) and self._may_tell(service.name):
            self._tell(f"{service.name}: {line}")

    def start(self, services: Sequence[Service]) -> bool:
        """Start services and wait until each is at work; False when somebody wants to stop. StartFailed says why."""
        self._services += services
        for service in services:
            service.start()
        deadline = time.monotonic() + START_TIMEOUT
        while not all(service.ready for service in services):
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                raise self._too_slow() from None
            if not self._handle(event):
                return False
        return True

    def keep_running(self) -> None:
        """Restart what dies, until somebody wants to stop."""
        self._up = True
        while self._handle(self._events.get()):
            pass

    def stop(self) -> None:
        """Stop everything: the agent and the web app, then the bridge, then the broker. A second signal kills."""
        self._stopping = True
        services = {service.name: service for service in self._services}
        for names in (("agent", "webapp"), ("bridge",), ("broker",)):
            group = [services[name] for name in names if name in services]
            for service in group:
                service.ask_to_stop()
            self._wait_for(group)
            for service in group:
                service.kill()

    def _wait_for(self, group: Sequence[Service]) -> None:
        deadline = time.monotonic() + max((STOP_TIMEOUTS[service.name] for service in group), default=0.0)
        while any(service.running for service in group):
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                names = ", ".join(service.name for service in group if service.running)
                self._tell(f"{names} did not stop in time and is killed")
                return
            if isinstance(event, Stop):
                return

    def _handle(self, event: Event) -> bool:
        """Do what an event asks for; False when it is to stop."""
        match event:
            case Stop():
                return False
            case Ready(name):
                for service in self._services:
                    service.ready = service.ready or service.name == name
            case Ended(service, status):
                self._ended(service, status)
            case Due(service):
                service.start()
        return True

    def _ended(self, service: Service, status: int) -> None:
        was_ready = service.ready
        self._deaths[service.name] = 0 if was_ready else self._deaths.get(service.name, 0) + 1
        if not self._up and self._deaths[service.name] >= FIRST_DEATHS:
            raise self._died(service, status)
        if was_ready:
            self._tell(f"{service.name} ended ({describe(status)}); starting it again")
            service.start()
            return
        if self._up and self._deaths[service.name] == FIRST_DEATHS:
            self._tell(f"{service.name} ends again and again ({describe(status)}); its log says why. Trying on")
        service.ready = False
        timer = threading.Timer(PAUSE, lambda: self._events.put(Due(service)))
        timer.daemon = True
        timer.start()

    def _died(self, service: Service, status: int) -> StartFailed:
        return StartFailed(f"the {service.name} does not start ({describe(status)}):{_quoted(service)}")

    def _too_slow(self) -> StartFailed:
        late = [service for service in self._services if not service.ready]
        quotes = "".join(_quoted(service) for service in late)
        names = ", ".join(service.name for service in late)
        return StartFailed(f"not at work within {START_TIMEOUT:g} s: {names}{quotes}")

    def _may_tell(self, name: str) -> bool:
        times = self._told.setdefault(name, deque(maxlen=TOLD))
        now = time.monotonic()
        if len(times) == TOLD and now - times[0] < 10:
            return False
        times.append(now)
        return True


def _quoted(service: Service) -> str:
    lines = [line for line in service.last_lines if line.strip()] or ["(it said nothing)"]
    return "".join(f"\n    {line}" for line in lines)


def tell(line: str) -> None:
    """Say something to the person who started us; a terminal that went away is no reason to stop."""
    try:
        print(f"piio up: {line}", file=sys.stderr, flush=True)
    except OSError:
        return
