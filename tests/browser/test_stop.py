"""The stop buttons, in a browser."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_board_page import display
from tests.webapp.bench import Bench
from tests.webapp.stage import Stage, eventually

Browse = Callable[..., Page]


def levels(stage: Stage, bench: Bench) -> list[tuple[int, int]]:
    """Every level that the lamp's line had, with its time in ns."""
    trace = next((stage.folder / bench.name).rglob("trace.jsonl"))
    entries = [json.loads(line) for line in trace.read_text().splitlines()]
    return [(e["level"], e["mono_ns"]) for e in entries if e["channel"] == "17" and not e.get("event")]


@pytest.mark.parametrize(("name", "path"), [("Stop bench1", "/board/{}"), ("Stop all boards", "/")])
def test_one_press_of_the_keyboard_switches_off_within_a_second_and_says_so(
    stage: Stage, bench: Bench, browse: Browse, name: str, path: str
) -> None:
    page, other = browse("otto", path.format(bench.name)), browse("anna", f"/board/{bench.name}")
    button = display(other, "lamp", "button")
    button.get_by_role("button").click()
    expect(button.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    stop = page.get_by_role("button", name=name)
    stop.focus()
    began = time.monotonic_ns()
    page.keyboard.press("Enter")
    eventually(lambda: levels(stage, bench)[-1][0] == 0, "the line off")
    assert levels(stage, bench)[-1][1] - began < 1e9
    expect(page.locator("#stop-told")).to_contain_text("stopped by otto, 1 output")
    expect(button.get_by_role("button")).to_have_attribute("aria-pressed", "false")
    tile = other.locator(".tile", has=button)
    expect(tile.locator(".state")).to_have_text("fail-safe")
    expect(tile.locator(".reason")).to_have_text("in fail-safe: stopped by otto")
    button.get_by_role("button").click()
    expect(tile.locator(".state")).to_have_text("")
    button.get_by_role("button").click()
    expect(button.get_by_role("button")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_they_are_there_without_scrolling(bench: Bench, browse: Browse, scheme: Any) -> None:
    page = browse("otto", f"/board/{bench.name}", viewport={"width": 360, "height": 640}, color_scheme=scheme)
    expect(display(page, "lamp", "button")).to_be_visible()
    page.mouse.wheel(0, 2000)
    for name in (f"Stop {bench.name}", "Stop all boards"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_viewer_sees_them_and_who_may(bench: Bench, browse: Browse) -> None:
    page = browse("vera", f"/board/{bench.name}")
    stop = page.get_by_role("button", name=f"Stop {bench.name}")
    expect(stop).to_be_disabled()
    expect(stop).to_have_accessible_description("for operators")


def test_while_disconnected_it_is_said_at_once_that_nothing_was_sent(bench: Bench, browse: Browse) -> None:
    page = browse("otto", f"/board/{bench.name}")
    expect(display(page, "lamp", "button")).to_be_visible()
    page.evaluate("""async () => {
      const { link } = await import("/static/link.js");
      window.down = new Promise((resolve) => link.addEventListener("state", () => link.state === "down" && resolve()));
    }""")
    page.context.set_offline(True)
    page.evaluate("window.down", None)
    page.get_by_role("button", name=f"Stop {bench.name}").click()
    expect(page.locator("#stop-told")).to_have_text(f"{bench.name} NOT stopped: not connected: nothing was sent")
