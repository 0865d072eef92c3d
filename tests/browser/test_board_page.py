"""What people see and do on a board's page."""

import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.standstill import stopped
from tests.webapp.bench import Bench
from tests.webapp.stage import Stage

Browse = Callable[..., Page]


def display(page: Page, point: str, type: str) -> Locator:
    return page.locator(f"piio-{type}[data-point={point}]")


def push(stage: Stage, bench: Bench, channel: str, raw: float | str) -> None:
    """Move the simulated outside world."""
    with stage.connection() as connection:
        connection.publish(f"piio/{bench.name}/sim/adc/{channel}", str(raw), 1)


def test_values_move_by_themselves_and_the_bar_with_them(stage: Stage, bench: Bench, browse: Browse) -> None:
    page = browse("vera", f"/board/{bench.name}")
    number = display(page, "knob", "numeric")
    for raw, shown in ((500, "50"), (123, "12.30")):
        push(stage, bench, "3", raw)
        expect(number.locator("[data-value]")).to_have_text(shown)
    push(stage, bench, "0", 1023)
    expect(display(page, "tank", "progress").get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    expect(number).to_have_attribute("data-quality", "good")
    push(stage, bench, "0", "z")


def test_a_press_is_confirmed_and_a_second_browser_follows(bench: Bench, browse: Browse) -> None:
    first, second = browse("otto", f"/board/{bench.name}"), browse("vera", f"/board/{bench.name}")
    button = display(first, "lamp", "button").get_by_role("button")
    expect(button).to_have_attribute("aria-pressed", "false")
    for pressed in ("true", "false"):
        button.click()
        expect(button).to_have_attribute("aria-busy", "false")
        expect(button).to_have_attribute("aria-pressed", pressed)
        other = display(second, "lamp", "button").get_by_role("button")
        expect(other).to_have_attribute("aria-pressed", pressed)


def test_a_viewer_sees_the_button_and_cannot_press_it(bench: Bench, browse: Browse) -> None:
    button = display(browse("vera", f"/board/{bench.name}"), "lamp", "button").get_by_role("button")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", re.compile("role"))


def test_a_refused_press_goes_back_and_says_why(bench: Bench, browse: Browse) -> None:
    bench.configure({"displays": {"d3": {"options": {"on": 5}}}})
    page = browse("otto", f"/board/{bench.name}")
    button = display(page, "lamp", "button")
    button.get_by_role("button").click()
    expect(button.get_by_role("status")).to_contain_text("refused")
    expect(button.get_by_role("button")).to_have_attribute("aria-pressed", "false")
    bench.configure({"displays": {"d3": {"options": {"on": 1}}}})


def test_a_new_configuration_changes_the_page_without_a_reload(bench: Bench, browse: Browse) -> None:
    page = browse("vera", f"/board/{bench.name}")
    expect(display(page, "knob", "numeric")).to_be_visible()
    page.evaluate("window.untouched = true; document.querySelector('piio-graph').same = true")
    bench.configure({"points": {"knob": {"unit": "mm"}}, "displays": {"d2": {"label": "Position"}}})
    expect(page.get_by_role("heading", name="Position")).to_be_visible()
    expect(display(page, "knob", "numeric")).to_contain_text("mm")
    expect(page.locator(".toast")).to_contain_text("was changed by anna")
    assert page.evaluate("window.untouched && document.querySelector('piio-graph').same")


def test_the_graph_draws_and_keeps_its_zoom_while_data_arrives(stage: Stage, bench: Bench, browse: Browse) -> None:
    page = browse("vera", f"/board/{bench.name}")
    over = display(page, "tank", "graph").locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    expect(display(page, "tank", "graph").locator("[data-value]")).not_to_have_text("–")
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 40, steps=4)
    page.mouse.up()
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    zoomed = page.evaluate("(({min, max}) => [min, max])(document.querySelector('piio-graph').chart.scales.x)")
    moved = display(page, "tank", "graph").locator("[data-value]").inner_text()
    expect(display(page, "tank", "graph").locator("[data-value]")).not_to_have_text(moved)
    assert zoomed == page.evaluate("(({min, max}) => [min, max])(document.querySelector('piio-graph').chart.scales.x)")
    assert zoomed[1] - zoomed[0] < 60
    follow.click()
    expect(follow).to_be_hidden()


def test_a_dead_board_leaves_its_last_value_marked_stale(stage: Stage, bench: Bench, browse: Browse) -> None:
    push(stage, bench, "3", 777)
    page = browse("vera", f"/board/{bench.name}")
    number = display(page, "knob", "numeric")
    expect(number.locator("[data-value]")).to_have_text("77.70")
    bench.agent.stop()
    try:
        expect(number).to_have_attribute("data-quality", "stale")
        expect(number.locator("[data-value]")).to_have_text("77.70")
        expect(page.locator("[data-display=d2] .state")).to_have_text("stale")
        expect(page.locator(".toast")).to_contain_text("went offline")
    finally:
        bench.agent.start()
    expect(number).to_have_attribute("data-quality", "good", timeout=15000)


def test_a_bridge_that_stands_still_makes_everything_stale_and_says_so(
    stage: Stage, bench: Bench, browse: Browse
) -> None:
    page, boards = browse("otto", f"/board/{bench.name}"), browse("vera", "/")
    number, lamp = display(page, "knob", "numeric"), display(page, "lamp", "button")
    expect(number).to_have_attribute("data-quality", "good")
    assert stage.bridge.child
    with stopped(stage.bridge.child.pid):
        lamp.get_by_role("button").click()
        expect(lamp.get_by_role("button")).to_have_attribute("aria-busy", "true")
        expect(lamp.get_by_role("status")).to_contain_text("outcome unknown")
        expect(lamp.get_by_role("button")).to_have_attribute("aria-pressed", "false")
        expect(page.locator("#banner")).to_contain_text("bridge has gone quiet")
        expect(number).to_have_attribute("data-quality", "stale")
        expect(boards.locator(f"[data-board={bench.name}]")).to_contain_text("3 are not good")
    expect(number).to_have_attribute("data-quality", "good")
    expect(page.locator("#banner")).to_be_hidden()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_page_outlives_a_restart_of_the_web_app(stage: Stage, bench: Bench, browse: Browse, number: int) -> None:
    page = browse("otto", f"/board/{bench.name}")
    value = display(page, "tank", "progress")
    expect(value).to_have_attribute("data-quality", "good")
    page.evaluate("window.untouched = true")
    stage.webapp.stop(number)
    expect(page.locator("#banner")).to_contain_text("Connection lost, trying again")
    expect(value).to_have_attribute("data-quality", "stale")
    display(page, "lamp", "button").get_by_role("button").click()
    expect(display(page, "lamp", "button").get_by_role("status")).to_contain_text("not connected")
    stage.webapp.start()
    expect(value).to_have_attribute("data-quality", "good", timeout=15000)
    expect(page.locator("#banner")).to_be_hidden()
    assert page.evaluate("window.untouched")


def test_a_phone_needs_no_sideways_scrolling(bench: Bench, browse: Browse) -> None:
    for path in ("/", f"/board/{bench.name}", f"/board/{bench.name}/configure"):
        page = browse("anna", path, viewport={"width": 360, "height": 740})
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".badge").first).to_have_text("online")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_the_list_tells_which_boards_are_there(stage: Stage, bench: Bench, browse: Browse) -> None:
    page = browse("vera", "/")
    card = page.locator(f"[data-board={bench.name}]")
    expect(card).to_contain_text("online")
    expect(card).to_contain_text("3 points")
    expect(card).not_to_contain_text("not good")
    bench.configure({"points": {"knob": {"equation": "x / 0"}}})
    expect(card).to_contain_text("1 is not good")
    bench.configure({"points": {"knob": {"equation": "x / 10"}}})
    expect(card).not_to_contain_text("not good")
    late = stage.add_board("latecomer")
    expect(page.locator("[data-board=latecomer]")).to_contain_text("online", timeout=15000)
    late.stop()
    expect(page.locator("[data-board=latecomer]")).to_contain_text("offline")
