"""A third party's display: one JavaScript module in a folder."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.webapp.bench import Bench
from tests.webapp.stage import Stage

GAUGE = """
import { Display, element, write } from "/static/display.js";
export const manifest = {
  label: "Gauge", icon: "◔", accepts: ["analog"],
  options: { type: "object", properties: { prefix: { type: "string", default: "about", title: "Prefix" } } },
};
export default class Gauge extends Display {
  build() { this.text = element("span", { "data-value": "" }); this.append(this.text); }
  show({ value }) { write(this.text, `${this.options.prefix} ${this.format(value)}`); }
}
"""
FAILING = "export default class extends HTMLElement { configure() { throw new Error('no such thing'); } show() {} }"


def test_a_display_in_a_folder_is_offered_configured_and_shown(
    stage: Stage, bench: Bench, browse: Callable[..., Page]
) -> None:
    folder = stage.folder / "displays"
    (folder / "gauge.js").write_text(GAUGE)
    (folder / "failing.js").write_text(FAILING)
    (folder / "syntax.js").write_text("this is no JavaScript")
    admin = browse("anna", f"/board/{bench.name}/configure#arrangement")
    admin.get_by_role("button", name="+ Gauge").click()
    admin.locator('[data-path$=".point"]').select_option("knob")
    admin.locator('[data-path$=".options.prefix"]').fill("exactly")
    admin.get_by_role("button", name="Save").click()
    bench.configure({"displays": {"bad": {"type": "failing", "point": "knob", "place": {"x": 9, "y": 0}}}})
    with stage.connection() as connection:
        connection.publish(f"piio/{bench.name}/sim/adc/3", "420", 1)
    viewer = browse("vera", f"/board/{bench.name}")
    expect(viewer.locator("piio-gauge [data-value]")).to_have_text("exactly 42")
    expect(viewer.locator("[data-display=bad]")).to_contain_text("this display failed: no such thing")
    expect(viewer.locator("piio-numeric [data-value]")).to_have_text("42")
    bench.configure({"displays": {"bad": None, "d5": None}})
    for file in folder.iterdir():
        file.unlink()
