"""What people see of the audit trail."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.webapp.bench import Bench
from tests.webapp.stage import Stage

Browse = Callable[..., Page]


@pytest.fixture(autouse=True)
def put_out(bench: Bench) -> Iterator[None]:
    """The lamp is off again for whoever comes next."""
    yield
    page = bench.open("otto")
    assert page.set(bench.name, "lamp", 0)["status"] == "done"
    page.close()


def newest(page: Page) -> Locator:
    return page.locator("#entries tr").first


def press(page: Page) -> Locator:
    button = page.locator("piio-button[data-point=lamp]")
    button.get_by_role("button").click()
    return button


def test_a_click_becomes_a_row_that_says_who_and_what_became_of_it(bench: Bench, browse: Browse) -> None:
    trail = browse("anna", f"/audit?board={bench.name}")
    expect(trail.locator("#entries tr").first).to_be_visible()
    board = browse("otto", f"/board/{bench.name}")
    button = press(board)
    expect(button.get_by_role("status")).to_have_text("done")
    expect(newest(trail).locator(".by")).to_have_text(re.compile("otto ✓"))
    expect(newest(trail).locator(".where")).to_have_text(f"{bench.name} / lamp")
    expect(newest(trail).locator(".what")).to_have_text(re.compile("set → [01]"))
    expect(newest(trail).locator(".from")).to_have_text("127.0.0.1")
    expect(newest(trail).locator(".became")).to_have_text("done")


def test_the_trail_is_narrowed_by_person_and_the_csv_with_it(bench: Bench, browse: Browse) -> None:
    press(browse("otto", f"/board/{bench.name}"))
    page = browse("anna", "/audit")
    expect(newest(page)).to_contain_text("otto")
    page.get_by_label("Person").fill("anna")
    page.get_by_label("Person").press("Enter")
    expect(newest(page)).to_contain_text("configured")
    assert set(page.locator("#entries .by").all_text_contents()) == {"anna ✓ verified"}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    text = download.value.path().read_text()
    assert text.startswith("time,board,point,what,") and ",anna,yes," in text and ",otto," not in text


def test_a_set_of_what_is_no_board_is_shown_and_breaks_nothing(stage: Stage, bench: Bench, browse: Browse) -> None:
    with stage.connection() as connection:
        connection.publish("piio/<b>No such/value/x/set", "1", 1)
    page = browse("otto", "/audit?board=No%20such")
    expect(page.locator("#entries tr", has_text="<b>No such").first).to_contain_text("there is no board")
    expect(page.get_by_label("Board")).to_have_value("")


def test_the_page_is_reached_from_the_header_by_operators_only(bench: Bench, browse: Browse) -> None:
    page = browse("otto", f"/board/{bench.name}")
    page.get_by_role("link", name="Audit trail").click()
    expect(page.get_by_role("heading", name="Audit trail")).to_be_visible()
    expect(browse("vera", f"/board/{bench.name}").get_by_role("link", name="Audit trail")).to_have_count(0)


def test_a_boards_page_lists_what_was_asked_lately_to_operators(bench: Bench, browse: Browse) -> None:
    page = browse("otto", f"/board/{bench.name}")
    lately = page.locator("#lately")
    lately.locator("summary").click()
    expect(lately.locator("li").first).to_be_visible()
    before = lately.locator("li").first.get_attribute("data-number")
    press(page)
    expect(lately.locator("li").first).not_to_have_attribute("data-number", before or "")
    expect(lately.locator("li").first).to_have_text(re.compile("lamp set → [01] by otto ✓ *done"))
    expect(browse("vera", f"/board/{bench.name}").locator("#lately")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_whole_rows_without_scrolling_sideways(bench: Bench, browse: Browse, scheme: str) -> None:
    page = browse("otto", "/audit", viewport={"width": 360, "height": 740}, color_scheme=scheme)
    expect(newest(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for cell in ("time", "where", "what", "by", "became"):
        expect(newest(page).locator(f".{cell}")).to_be_visible()
