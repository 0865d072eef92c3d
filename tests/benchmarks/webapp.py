"""What many browsers cost the web app: 50 pages of ten boards, on which a thousand readings a second become values.

The browsers are sockets in one light process that take their frames as pages do; the readings go through the broker
and the bridge.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.audience import Audience, Browser
from tests.benchmarks.figure import Figure, at_most
from tests.benchmarks.layout import Layout
from tests.benchmarks.run import Numbers, Run, medians
from tests.benchmarks.stand import Stand, bridge_at_work, cpu_of, memory_of
from tests.faults.parts import eventually
from tests.webapp.stage import Visitor, healthy

TITLE = "The web app: many browsers, and one that stops reading"

LAYOUT = Layout()
BROWSERS = 50
OF_A_LOG_IN = 20
"""Pages that one log-in may have open."""

RATE = 1_000
SECONDS = 6.0
SETTLING = 1.0

FRAMES = 20
"""A page's in a second, at most."""


def measure(run: Run) -> list[Figure]:
    """Processor time of the web app, frames, and the memory of a browser that takes nothing."""
    run.say(f"starting a web app for {BROWSERS} browsers")
    with bridge_at_work(LAYOUT) as (made, _), webapp_at_work(made) as worker, _audience(made) as audience:
        found = medians([_round(made, worker, audience, run, number) for number in range(run.rounds)])
        run.say("a browser stops reading")
        stalled = _stall(made, worker, audience)
    return [
        Figure(what=f"web app, {BROWSERS} browsers, {RATE:,} readings/s", number=found["cpu"], unit="of a core",
               reach=at_most(0.15)),
        Figure(what="frames to each page", number=found["frames"], unit="/s", reach=at_most(FRAMES)),
        Figure(what="a browser that stops reading costs", number=stalled, unit="MB", reach=at_most(10)),
    ]  # fmt: skip


@contextmanager
def webapp_at_work(made: Stand) -> Iterator[int]:
    """A web app at work: the process that serves."""
    part = made.parts.webapp().start()
    url = made.parts.web_url()
    eventually(lambda: healthy(url), "a web app that hears the broker")
    try:
        yield int(eventually(lambda: Path(f"/proc/{part.pid}/task/{part.pid}/children").read_text().split(), "it")[0])
    finally:
        part.end()


@contextmanager
def _audience(made: Stand) -> Iterator[Audience]:
    """The browsers, who look at all boards alike."""
    env, url, names = made.parts.env, made.parts.web_url(), LAYOUT.names()
    audience = Audience()
    try:
        for number in range(BROWSERS):
            if number % OF_A_LOG_IN == 0:
                visitor = Visitor(url)
                assert visitor.log_in(env["PIIO_WEB_USER"], env["PIIO_WEB_PASSWORD"]).status == 200
            audience.join(Browser(url, visitor.cookie, names[number % len(names)]))
            audience.hear(0.02)
        yield audience
    finally:
        audience.close()


def _round(made: Stand, worker: int, audience: Audience, run: Run, number: int) -> Numbers:
    run.say(f"round {number + 1} of {run.rounds}")
    with _readings(made):
        audience.hear(SETTLING)
        cpu, frames, at = cpu_of(worker), audience.frames, time.monotonic()
        audience.hear(SECONDS)
        taken = time.monotonic() - at
        return {"cpu": (cpu_of(worker) - cpu) / taken, "frames": (audience.frames - frames) / taken / BROWSERS}


def _stall(made: Stand, worker: int, audience: Audience) -> float:
    """Megabytes that the web app grows by when one of its browsers takes nothing any more."""
    with _readings(made):
        audience.hear(SETTLING)
        before = memory_of(worker)
        audience.stop_reading(audience.browsers[0])
        audience.hear(SECONDS)
        return max(0.0, memory_of(worker) - before)


@contextmanager
def _readings(made: Stand) -> Iterator[None]:
    """The load, for as long as a round takes."""
    count = int(RATE * (SETTLING + SECONDS + 0.5))
    load = threading.Thread(target=made.load(LAYOUT).at_rate, args=(count, RATE))
    load.start()
    yield
    load.join()
