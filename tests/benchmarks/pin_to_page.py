"""How long a pin that the simulated outside world moves takes to the page of a browser.

A line with edges is moved by `sim`, and a Chromium notes when the text on its page changes; both clocks are this
machine's. On the way are the broker four times, the agent, the bridge and the web app.
"""

import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright

from piio.address import read_address
from piio.connection import Connection
from tests.benchmarks.figure import Figure, at_most
from tests.benchmarks.layout import Layout
from tests.benchmarks.run import Numbers, Run
from tests.benchmarks.stand import Stand, bridge_at_work
from tests.benchmarks.tries import share_of
from tests.benchmarks.webapp import webapp_at_work

TITLE = "From the pin to the page of a browser"

OTHERS = Layout(boards=10, points=8)
RATE = 10_000
"""Readings a second of other boards."""

MOVES = 100
"""Of the line in a round."""

PAUSE = (0.08, 0.16)
"""Seconds between two of them, drawn anew each time, so that none keeps step with a clock."""

PATIENCE = 5.0

BUTTON = {"interface": "gpio", "channel": "4", "direction": "input"}
TANK = {"interface": "adc", "channel": "0", "direction": "input"}

OBSERVE = """() => {
  window.changes = [];
  // The page may draw the display anew when a configuration comes, so all of it is observed.
  const shown = () => document.querySelector('[data-point="button"] [data-value]')?.textContent;
  let last = shown();
  window.observer?.disconnect();
  window.observer = new MutationObserver(() => {
    const text = shown();
    if (text === last || !Number.isFinite(parseFloat(text))) return;  // a new display begins with a dash
    last = text;
    window.changes.push((performance.timeOrigin + performance.now()) / 1000);
  });
  window.observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  return last;
}"""

IDLE = "nothing else moves"
MOVING = "ten others a second on the page"
LOADED = f"{RATE:,} readings/s of other boards"


def measure(run: Run) -> list[Figure]:
    """Rounds in which nothing else moves, another channel does on the same page, and other boards are busy."""
    run.say("starting a board, a web app and a browser")
    with bridge_at_work(OTHERS) as (made, _), webapp_at_work(made), _page(made) as page:
        made.parts.agent().start()
        contenders = {
            IDLE: lambda: _round(made, page, {"button": BUTTON}),
            MOVING: lambda: _round(made, page, {"button": BUTTON, "tank": TANK}),
            LOADED: lambda: _under_load(made, page),
        }
        found = run.interleaved(contenders)
    return [
        Figure(what=f"pin → page, {IDLE}, p50", number=found[IDLE]["p50"], unit="ms", reach=at_most(15)),
        Figure(what=f"pin → page, {IDLE}, p99", number=found[IDLE]["p99"], unit="ms"),
        Figure(what=f"pin → page, {MOVING}, p50", number=found[MOVING]["p50"], unit="ms"),
        Figure(what=f"pin → page, {LOADED}, p50", number=found[LOADED]["p50"], unit="ms"),
        Figure(what=f"pin → page, {LOADED}, p99", number=found[LOADED]["p99"], unit="ms", reach=at_most(100)),
    ]


@contextmanager
def _page(made: Stand) -> Iterator[Page]:
    """The board's page in a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("there is no Chromium: type `sudo apt-get install chromium`")
    env, url = made.parts.env, made.parts.web_url()
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        page = playwright.chromium.launch(executable_path=chromium, args=flags).new_page()
        page.goto(f"{url}/login")
        page.fill("[name=name]", env["PIIO_WEB_USER"])
        page.fill("[name=password]", env["PIIO_WEB_PASSWORD"])
        page.press("[name=password]", "Enter")
        page.get_by_role("button", name="Log out").wait_for()
        page.goto(f"{url}/board/demo")
        yield page


def _under_load(made: Stand, page: Page) -> Numbers:
    seconds = MOVES * sum(PAUSE) / 2 + 2.0
    load = threading.Thread(target=made.load(OTHERS).at_rate, args=(int(RATE * seconds), RATE))
    load.start()
    try:
        return _round(made, page, {"button": BUTTON})
    finally:
        load.join()


def _round(made: Stand, page: Page, points: dict[str, Any]) -> Numbers:
    made.parts.configure(points, {name: {"type": "numeric", "point": name} for name in points})
    for name in points:
        page.wait_for_selector(f'[data-point="{name}"][data-quality="good"]')
    page.wait_for_selector('[data-point="tank"]', state="attached" if "tank" in points else "detached")
    delays = _moved(made, page, level=int(float(page.evaluate(OBSERVE))))
    return {"p50": share_of(delays, 50) * 1000, "p99": share_of(delays, 99) * 1000}


def _moved(made: Stand, page: Page, level: int) -> list[float]:
    """Seconds from each move to the text on the page, which shows this level now."""
    moved = []
    with Connection(read_address(made.parts.env["PIIO_URL"]), lambda _: None) as outside:
        for number in range(MOVES):
            level = 1 - level
            moved.append(time.time())
            outside.publish("piio/demo/sim/gpio/4", str(level), 0)
            page.wait_for_timeout(random.uniform(*PAUSE) * 1000)
            while page.evaluate("window.changes.length") <= number:
                assert time.time() - moved[-1] < PATIENCE, f"move {number} did not reach the page"
                page.wait_for_timeout(5)
    changes = page.evaluate("window.changes")
    return [seen - sent for sent, seen in zip(moved, changes, strict=True)]
