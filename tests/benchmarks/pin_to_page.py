"""How long a pin that the simulated outside world moves takes to the page: `python -m tests.benchmarks.pin_to_page`.

A line with edges is moved 100 times, a tenth of a second apart; a browser notes when the text on the page changes. Both
clocks are this machine's.
"""

import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

import piio
from piio.address import read_address
from piio.connection import Connection
from tests.conftest import RunningInstallation

MOVES = 100

OBSERVE = """() => {
  window.changes = [];
  const figure = document.querySelector('[data-point="button"] [data-value]');
  new MutationObserver(() => window.changes.push([Date.now() / 1000, figure.textContent]))
    .observe(figure, { childList: true, characterData: true, subtree: true });
}"""


def main() -> None:
    """Start an installation, measure, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        running = RunningInstallation(Path(folder) / "var", "--simulate", "--mqtt-port", "0", "--web-port", "0")
        try:
            running.wait_until_running()
            delays = sorted(_measure(running.env))
        finally:
            running.stop()
    print("| from the pin to the page | ms |\n|---|---|")
    for name, value in (
        ("median", statistics.median(delays)),
        ("95 of 100 within", delays[int(len(delays) * 0.95) - 1]),
        ("longest", delays[-1]),
    ):
        print(f"| {name} | {value * 1000:.0f} |")


def _measure(env: dict[str, str]) -> list[float]:
    with piio.connect(env["PIIO_ADMIN_URL"]) as client:
        point = {"interface": "gpio", "channel": "4", "direction": "input"}
        display = {"type": "numeric", "point": "button"}
        assert client.configure("demo", {"points": {"button": point}, "displays": {"button": display}}).ok
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto(env["PIIO_WEB_URL"] + "/login")
        page.fill("[name=name]", env["PIIO_WEB_USER"])
        page.fill("[name=password]", env["PIIO_WEB_PASSWORD"])
        page.press("[name=password]", "Enter")
        page.goto(env["PIIO_WEB_URL"] + "/board/demo")
        page.wait_for_selector('[data-point="button"][data-quality="good"]')
        page.evaluate(OBSERVE)
        return _move(env, page)


def _move(env: dict[str, str], page: Page) -> list[float]:
    moved = []
    with Connection(read_address(env["PIIO_URL"]), lambda _: None) as outside:
        for number in range(MOVES):
            moved.append(time.time())
            outside.publish("piio/demo/sim/gpio/4", str((number + 1) % 2), 0)
            while page.evaluate("window.changes.length") <= number:
                assert time.time() - moved[-1] < 5, f"move {number} did not reach the page"
                page.wait_for_timeout(5)
            page.wait_for_timeout(100)
    changes = page.evaluate("window.changes")
    return [seen - sent for sent, (seen, _) in zip(moved, changes, strict=True)]


if __name__ == "__main__":
    main()
