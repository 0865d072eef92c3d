"""What an admin does on the page of a board's configuration."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.webapp.bench import DISPLAYS, POINTS, Bench
from tests.webapp.stage import Stage

Browse = Callable[..., Page]


@pytest.fixture
def page(bench: Bench, browse: Browse) -> Iterator[Page]:
    opened = browse("anna", f"/board/{bench.name}/configure")
    expect(opened.locator("button[data-point=lamp]").first).to_be_visible()
    yield opened
    bench.configure({"points": POINTS, "displays": DISPLAYS})


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast").filter(has_text="Saved")).to_be_visible()
    expect(page.locator("#savebar")).to_be_hidden()


def changed_elsewhere(bench: Bench, page: Page, patch: dict[str, Any]) -> None:
    """Somebody saves a change on another page, and this one has it: what is typed from here on is typed upon it."""
    revision = bench.configure(patch)
    expect(page.locator("#about")).to_contain_text(f"revision {revision}")


def test_an_admin_adds_a_point_and_a_display_and_a_viewer_sees_it(bench: Bench, browse: Browse, page: Page) -> None:
    viewer = browse("vera", f"/board/{bench.name}")
    page.get_by_role("button", name="+ Add a point").click()
    name = page.locator('[data-path$=".name"]')
    name.fill("pressure")
    name.press("Tab")
    page.locator('[data-path="points.pressure.label"]').fill("Pressure")
    page.locator('[data-path="points.pressure.interface"]').select_option("adc")
    page.locator('[data-path="points.pressure.channel"]').select_option("5")
    page.locator('[data-path="points.pressure.equation"]').fill("x * 2 + 1")
    expect(page.locator(".preview").first).to_contain_text("2047")
    page.get_by_role("tab", name="Displays").click()
    page.get_by_role("button", name="+ Number").click()
    page.locator('[data-path$=".point"]').select_option("pressure")
    saved(page)
    expect(viewer.locator("piio-numeric[data-point=pressure] [data-value]")).not_to_have_text("–")
    bench.configure({"points": {"pressure": None}, "displays": {"d5": None}})
    expect(viewer.locator("piio-numeric[data-point=pressure]")).to_have_count(0)


def test_what_is_counted_of_a_line_is_chosen_beside_it_and_shares_its_settings(bench: Bench, page: Page) -> None:
    changed_elsewhere(
        bench, page, {"points": {"door": {"interface": "gpio", "channel": "5", "settings": {"active_low": True}}}}
    )
    page.get_by_role("button", name="+ Add a point").click()
    name = page.locator('[data-path$=".name"]')
    name.fill("doors")
    name.press("Tab")
    page.locator('[data-path="points.doors.interface"]').select_option("adc")
    expect(page.locator('[data-path="points.doors.measure"]')).to_have_count(0)
    page.locator('[data-path="points.doors.interface"]').select_option("gpio")
    page.locator('[data-path="points.doors.channel"]').select_option("5")
    page.locator('[data-path="points.doors.measure"]').select_option("frequency")
    expect(page.locator('[data-path="points.doors.unit"]')).to_have_value("Hz")
    page.locator('[data-path="points.doors.measure"]').select_option("pulses")
    expect(page.locator('[data-path="points.doors.unit"]')).to_have_value("")
    expect(page.locator('[data-path="points.doors.settings.active_low"]')).to_be_checked()
    page.locator('[data-path="points.doors.settings.start"]').fill("40")
    saved(page)
    expect(page.locator("button[data-point=doors] .now")).to_have_text("40")
    expect(page.locator("button[data-point=doors] .sub")).to_have_text("gpio 5-pulses · input")
    page.locator('[data-path="points.doors.measure"]').select_option("")
    expect(page.locator('[data-path="points.doors.settings.start"]')).to_have_count(0)
    saved(page)
    expect(page.locator("button[data-point=doors] .sub")).to_have_text("gpio 5 · input")
    bench.configure({"points": {"doors": None, "door": None}})


def test_a_wrong_equation_shows_its_column_while_it_is_typed_and_at_its_field_when_saved(page: Page) -> None:
    page.locator("button[data-point=tank]").click()
    equation = page.locator('[data-path="points.tank.equation"]')
    equation.fill("x * * 2")
    expect(page.locator(".equation-error")).to_contain_text(re.compile(r"Column \d+"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator('[data-problem="points.tank.equation"]')).to_be_visible()
    expect(equation).to_have_attribute("aria-invalid", "true")
    expect(equation).to_have_value("x * * 2")
    page.get_by_role("button", name="Discard").click()
    expect(equation).to_have_value(POINTS["tank"]["equation"])


def test_a_sample_rate_is_offered_where_it_can_be_had_and_refused_at_its_field(bench: Bench, page: Page) -> None:
    changed_elsewhere(bench, page, {"points": {"door": {"interface": "gpio", "channel": "5"}}})
    page.locator("button[data-point=tank]").click()
    rate = page.locator('[data-path="points.tank.sample_rate"]')
    expect(page.get_by_text("adc gives 10,000 readings a second in all.")).to_be_visible()
    # Only lines report edges.
    expect(page.locator('[data-path="points.tank.events"]')).to_have_count(0)
    rate.fill("20000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator('[data-problem="points.tank.sample_rate"]')).to_contain_text("it could be 9,990 or less here")
    rate.fill("500")
    saved(page)
    page.reload()
    page.locator("button[data-point=tank]").click()
    expect(rate).to_have_value("500")
    rate.fill("")
    saved(page)
    page.locator("button[data-point=door]").click()
    expect(page.locator('[data-path="points.door.events"]')).to_be_visible()
    expect(page.locator('[data-path="points.door.sample_rate"]')).to_have_count(0)
    bench.configure({"points": {"door": None}})


def test_somebody_elses_change_arrives_and_the_open_tab_stays(bench: Bench, page: Page) -> None:
    page.get_by_role("tab", name="Displays").click()
    bench.configure({"displays": {"d1": {"label": "The tank"}}})
    expect(page.locator("#arrangement").get_by_role("heading", name="The tank")).to_be_visible()
    expect(page.get_by_role("tab", name="Displays")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(("choice", "label"), [("Reload theirs", "Tank level"), ("Keep mine on top", "My tank")])
def test_two_admins_at_once_lose_nothing_silently(bench: Bench, page: Page, choice: str, label: str) -> None:
    page.locator("button[data-point=tank]").click()
    page.locator('[data-path="points.tank.label"]').fill("My tank")
    bench.configure({"points": {"knob": {"label": "Their knob"}}})
    expect(page.locator("#conflict")).to_contain_text("anna saved another configuration")
    page.get_by_role("button", name=choice).click()
    expect(page.locator('[data-path="points.tank.label"]')).to_have_value(label)
    expect(page.locator("button[data-point=knob]")).to_contain_text("Their knob")
    if choice.startswith("Keep"):
        saved(page)


def test_an_admin_interlocks_two_outputs_and_reads_who_keeps_whom_off(bench: Bench, page: Page) -> None:
    changed_elsewhere(bench, page, {"points": {"pump": {**POINTS["lamp"], "channel": "18", "label": "Pump"}}})
    page.locator("button[data-point=lamp]").click()
    expect(page.locator('[data-path="points.lamp.interlock.dead_time"]')).to_be_disabled()
    page.locator('[data-path="points.lamp.interlock.group"]').fill("motor")
    expect(page.get_by_text("Nobody else is in this group yet.")).to_be_visible()
    page.locator("button[data-point=pump]").click()
    page.locator('[data-path="points.pump.interlock.group"]').fill("motor")
    page.locator('[data-path="points.pump.interlock.dead_time"]').fill("1.5")
    expect(page.get_by_text("Off while Lamp is on, and the other way round.")).to_be_visible()
    expect(page.locator('[data-path="points.pump.on_start"] option[value=on]')).to_be_disabled()
    page.locator('[data-path="points.pump.min_off"]').fill("3")
    saved(page)
    page.reload()
    page.locator("button[data-point=pump]").click()
    expect(page.locator('[data-path="points.pump.interlock.group"]')).to_have_value("motor")
    expect(page.locator('[data-path="points.pump.interlock.dead_time"]')).to_have_value("1.5")
    page.locator('[data-path="points.pump.interlock.group"]').fill("")
    expect(page.get_by_text("It is in no group.")).to_be_visible()
    page.locator('[data-path="points.pump.min_off"]').fill("")
    saved(page)
    bench.configure({"points": {"pump": None}})


def test_policies_that_contradict_each_other_are_told_at_their_field(page: Page) -> None:
    page.locator("button[data-point=lamp]").click()
    page.locator('[data-path="points.lamp.max_on"]').fill("2")
    page.locator('[data-path="points.lamp.min_on"]').fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator('[data-problem="points.lamp.max_on"]')).to_contain_text("at least min_on, 5 s, got 2")
    expect(page.locator('[data-path="points.lamp.max_on"]')).to_have_attribute("aria-invalid", "true")


def test_the_form_of_an_output_fits_a_telephone(bench: Bench, browse: Browse) -> None:
    page = browse("anna", f"/board/{bench.name}/configure", viewport={"width": 360, "height": 740})
    page.locator("button[data-point=lamp]").click()
    page.locator('[data-path="points.lamp.interlock.group"]').fill("a group with a rather long name, as people give")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    fields = "fieldset input:not([type=checkbox]), fieldset select"
    narrow = f"[...document.querySelectorAll('{fields}')].map((each) => each.clientWidth)"
    assert min(page.evaluate(narrow)) > 200
    assert page.evaluate("document.querySelector('#savebar').clientHeight") < 70


def test_displays_are_moved_and_sized_by_buttons(page: Page) -> None:
    page.get_by_role("tab", name="Displays").click()
    page.get_by_role("button", name="Edit the display d2").click()
    page.get_by_role("button", name="Move right").click()
    page.get_by_role("button", name="Narrower").click()
    expect(page.locator('[data-path="displays.d2.place.x"]')).to_have_value("4")
    expect(page.locator('[data-path="displays.d2.place.w"]')).to_have_value("2")
    saved(page)


def test_an_old_revision_is_restored(bench: Bench, page: Page) -> None:
    wanted = bench.configure({"points": {"knob": {"label": "Before"}}})
    bench.configure({"points": {"knob": {"label": "After"}}})
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("tab", name="Revisions").click()
    expect(page.locator(f'[data-revision="{wanted + 1}"]')).to_contain_text("points.knob.label")
    page.locator(f'[data-revision="{wanted}"]').get_by_role("button", name="Restore").click()
    page.get_by_role("tab", name="Points").click()
    expect(page.locator("button[data-point=knob]")).to_contain_text("Before")


def test_leaving_with_unsaved_changes_asks_first(page: Page, stage: Stage) -> None:
    asked: list[str] = []
    page.locator("button[data-point=tank]").click()
    page.locator('[data-path="points.tank.unit"]').fill("l")
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(stage.url + "/")
    assert asked == ["beforeunload"]


def test_nothing_can_be_edited_before_the_configuration_is_there(bench: Bench, browse: Browse) -> None:
    unknown, known = browse("anna", "/board/nobody/configure"), browse("anna", f"/board/{bench.name}/configure")
    expect(known.locator("#points")).not_to_have_attribute("inert", "")
    expect(unknown.locator("#status")).to_have_text("unknown")
    for panel in ("#points", "#arrangement"):
        expect(unknown.locator(panel)).to_have_attribute("inert", "")
