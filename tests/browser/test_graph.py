"""What a graph draws: where its line holds and where it breaks, and its times."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.webapp.bench import POINTS, Bench
from tests.webapp.stage import eventually

Browse = Callable[..., Page]

LOAD = """async ([point, buckets, gaps]) => {
  const { Trace } = await import("/static/trace.js");
  const trace = new Trace();
  trace.configure(point);
  trace.load(buckets.map(([time, value]) => [time, value, value, value]), gaps);
  return trace.times.map((time, index) => [time, trace.values[index]]);
}"""
TELL = """async ([point, told, buckets, gaps]) => {
  const { Trace } = await import("/static/trace.js");
  const trace = new Trace();
  trace.configure(point);
  for (const [how, ...reading] of told) trace[how](...reading);
  trace.load(buckets.map(([time, value]) => [time, value, value, value]), gaps);
  return trace.times.map((time, index) => [time, trace.values[index]]);
}"""
SAMPLES = """async ([told, width]) => {
  const { Trace } = await import("/static/trace.js");
  const trace = new Trace();
  for (const stretches of told) trace.addSamples(stretches, width);
  return trace.times.map((time, index) => [time, trace.values[index]]);
}"""
ADD = """async ([point, readings]) => {
  const { Trace } = await import("/static/trace.js");
  const trace = new Trace();
  trace.configure(point);
  for (const [time, value, doubted] of readings) trace.add(time, value, doubted);
  return trace.times.map((time, index) => [time, trace.values[index]]);
}"""
RECORD = """
window.drawn = [];
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.drawn.push(text);
  return fill.call(this, text, ...rest);
};
"""


@pytest.fixture
def page(bench: Bench, browse: Browse) -> Page:
    return browse("vera", f"/board/{bench.name}", locale="en-US", timezone_id="America/New_York")


def broken(line: list[Any]) -> bool:
    return any(value is None for _, value in line)


def test_a_long_gap_in_the_history_breaks_the_line_and_a_short_one_does_not(page: Page) -> None:
    point = {"idle_period": 10}
    assert page.evaluate(LOAD, [point, [[0, 1], [1, 2], [20, 3]]]) == [[0, 1], [1, 2], [20, 3]]
    assert broken(page.evaluate(LOAD, [point, [[0, 1], [1, 2], [2, 2], [90, 3]]]))
    slow = [[0, 1], [100, 2], [200, 2], [450, 3]]
    assert not broken(page.evaluate(LOAD, [point, slow])), "within three times the usual spacing"


def test_a_gap_breaks_the_line_where_it_begins_and_ends(page: Page) -> None:
    line = page.evaluate(LOAD, [{"idle_period": 10}, [[0, 1], [10, 2], [20, 3], [21, 4]], [[12, 20.5]]])
    assert line == [[0, 1], [10, 2], [12, 2], [12.001, None], [20.5, 3], [21, 4]]
    line = page.evaluate(LOAD, [{"idle_period": 10}, [[0, 1], [10, 2]], [[-9, -1], [15, 99]]])
    assert line == [[0, 1], [10, 2], [15, 2], [15.001, None]]


def test_a_value_at_rest_is_drawn_level_until_it_was_read_anew(page: Page) -> None:
    line = page.evaluate(LOAD, [{"idle_period": 10}, [[0, 1], [1, 2], [2, 2], [50, 3]]])
    assert line == [[0, 1], [1, 2], [2, 2], [40, 2], [50, 3]]
    assert page.evaluate(ADD, [{"period": 1}, [[0, 1, False], [9, 2, False]]]) == [[0, 1], [8, 1], [9, 2]]


def test_a_silence_in_which_nobody_vouched_for_the_value_breaks_the_line(page: Page) -> None:
    point = {"period": 0.1, "idle_period": 5}
    assert broken(page.evaluate(ADD, [point, [[0, 1, False], [12, 2, True]]]))
    assert not broken(page.evaluate(ADD, [point, [[0, 1, False], [8, 2, True]]]))


def test_a_value_that_was_there_before_the_page_is_drawn_where_the_history_has_it(page: Page) -> None:
    told = [["begin", 11, 68, True], ["add", 11.1, 35, False], ["add", 11.2, 33, False]]
    line = page.evaluate(TELL, [{}, told, [[0, 1], [9, 68], [10.9, 35]], []])
    assert line == [[0, 1], [9, 68], [10.9, 35], [11.1, 35], [11.2, 33]]
    assert page.evaluate(TELL, [{}, told, [], []])[0] == [11, 68], "where there is no history it is all there is"


def test_times_ascend_also_where_several_readings_of_the_history_lie_in_a_gap(page: Page) -> None:
    line = page.evaluate(LOAD, [{}, [[0, 1], [1, 2], [1.2, 3], [1.4, 4], [2, 5]], [[0.5, 1.9]]])
    assert line == [[0, 1], [0.5, 1], [0.501, None], [1.9, 4], [2, 5]]


def test_the_times_of_a_graph_ascend_from_its_first_moment(page: Page) -> None:
    expect(page.locator("piio-graph [data-value]")).not_to_have_text("–")
    drawn = "Array.from(document.querySelector('piio-graph').chart.data[0])"
    times = eventually(lambda: len(times := page.evaluate(drawn)) > 20 and times, "twenty readings")
    assert all(before < after for before, after in pairwise(times[:-1])), "the last one is now"


def test_samples_are_drawn_from_the_least_to_the_greatest_and_break_where_they_are_missing(page: Page) -> None:
    told = [[[1.0, 5, 9], [1.1, 4, 4]], [[1.1, 3, 6], [1.2, 1, 2]], [[3.0, 7, 8]]]
    line = page.evaluate(SAMPLES, [told, 0.1])
    flat = [1, 5, 1.05, 9, 1.1, 3, pytest.approx(1.15), 6, 1.2, 1, pytest.approx(1.25), 2]
    assert [each for pair in line[:6] for each in pair] == flat
    assert [value for _, value in line[6:]] == [None, 7, 8]


def test_the_history_is_drawn_until_the_samples_begin_and_they_go_on(page: Page) -> None:
    told = [["addSamples", [[5.0, 1, 2], [5.1, 3, 4]], 0.1]]
    line = page.evaluate(TELL, [{"sample_rate": 100}, told, [[3, 7], [4.9, 8], [5.0, 9], [5.1, 9]], []])
    assert line == [[3, 7], [4.9, 8], [5, 1], [5.05, 2], [5.1, 3], [pytest.approx(5.15), 4]]
    more = [[[5.1, 0, 3], [5.2, 6, 6]], 0.1]
    line = page.evaluate(TELL.replace("return", "trace.addSamples(...more); return").replace("gaps])", "gaps, more])"),
                         [{"sample_rate": 100}, told, [[3, 7], [4.9, 8]], [], more])  # fmt: skip
    assert line[4:] == [[5.1, 0], [pytest.approx(5.15), 4], [5.2, 6]]


def test_a_point_that_is_sampled_fast_is_drawn_from_its_samples(bench: Bench, page: Page) -> None:
    expect(page.locator("piio-graph [data-value]")).not_to_have_text("–")
    bench.configure({"points": {"tank": {"sample_rate": 200}}, "displays": {"d4": {"options": {"window": 10}}}})
    drawn = "Array.from(document.querySelector('piio-graph').chart.data[0])"

    def close_together() -> bool:
        times = page.evaluate(drawn)[-100:]
        return len(times) == 100 and times[-1] - times[0] < 5

    eventually(close_together, "a hundred of them within five seconds")
    bench.configure({"points": {"tank": {"sample_rate": None}}, "displays": {"d4": {"options": {"window": None}}}})


def test_times_are_told_by_the_clock_of_24_hours(bench: Bench, browse: Browse, page: Page) -> None:
    page.add_init_script(RECORD)
    page.reload()
    expect(page.locator("piio-graph [data-value]")).not_to_have_text("–")
    page.wait_for_function("window.drawn.some((text) => /^[0-9]{2}:[0-9]{2}/.test(text))")
    assert page.evaluate("window.drawn.filter((text) => /[AP]M/i.test(text))") == []


def test_a_renamed_point_leaves_the_zoom_where_it_was(bench: Bench, page: Page) -> None:
    graph = page.locator("piio-graph")
    expect(graph.locator("[data-value]")).not_to_have_text("–")
    over = graph.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 40, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Follow")).to_be_visible()
    scale = "(({min, max}) => [min, max])(document.querySelector('piio-graph').chart.scales.x)"
    zoomed = page.evaluate(scale)
    bench.configure({"points": {"tank": None, "vessel": POINTS["tank"]}, "displays": {"d4": {"point": "vessel"}}})
    expect(page.locator("piio-graph[data-point=vessel]")).to_have_attribute("data-quality", "good")
    assert page.evaluate(scale) == zoomed
    bench.configure({"points": {"vessel": None, "tank": POINTS["tank"]}, "displays": {"d4": {"point": "tank"}}})
    expect(page.locator("piio-graph[data-point=tank]")).to_have_attribute("data-quality", "good")
