"""Sets from pages: who may, how old they may be, and that every one has an outcome."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.webapp.bench import Bench
from tests.webapp.stage import Page, Stage


@pytest.fixture
def otto(bench: Bench) -> Iterator[Page]:
    page = bench.open("otto")
    yield page
    page.close()


def test_an_operator_sets_a_point_and_hears_that_it_is_done(bench: Bench, otto: Page) -> None:
    for value in (1, 0):
        result = otto.set(bench.name, "lamp", value)
        assert (result["status"], result["value"], result["by"]) == ("done", value, "otto"), result
        otto.wait(lambda v=value: any(f.get("values", {}).get("lamp") == v for f in otto.frames), "the value itself")


def test_a_viewer_is_refused_with_the_reason(bench: Bench) -> None:
    vera = bench.open("vera")
    result = vera.set(bench.name, "lamp", 1)
    assert result["status"] == "refused"
    assert "operator" in result["reason"]
    vera.close()


def test_a_page_that_is_behind_is_expired(bench: Bench, otto: Page) -> None:
    old = otto.tick | {"tick": otto.tick["tick"] - 2.5}
    result = otto.set(bench.name, "lamp", 1, tick=old)
    assert result["status"] == "expired", result


@pytest.mark.parametrize("lie", [{"boot": "another"}, {"tick": 1e12}])
def test_a_tick_that_was_never_sent_is_refused(bench: Bench, otto: Page, lie: dict[str, object]) -> None:
    assert otto.set(bench.name, "lamp", 1, tick=otto.tick | lie)["status"] == "refused"


def test_what_the_channel_cannot_take_is_refused_by_the_bridge(bench: Bench, otto: Page) -> None:
    result = otto.set(bench.name, "lamp", 2)
    assert result["status"] == "refused"
    assert result["reason"]


def test_an_unknown_point_is_answered_too(bench: Bench, otto: Page) -> None:
    assert otto.set(bench.name, "nothing", 1)["status"] in ("refused", "failed")


def test_every_set_carries_the_bridges_beacon_and_the_person(stage: Stage, bench: Bench, otto: Page) -> None:
    heard = []
    with stage.connection(heard.append) as connection:
        connection.subscribe([("piio/+/value/+/set", 0)])
        otto.set(bench.name, "lamp", 0)
        otto.wait(lambda: heard, "the set at the broker")
    sent = json.loads(heard[0].payload)
    assert sent["by"] == "otto"
    assert sent["beacon"]["tick"] > 0
    assert not heard[0].retained


def test_without_a_bridge_a_set_is_refused_within_the_moment(bench: Bench, otto: Page) -> None:
    with bench.without_bridge(otto):
        otto.hear(2.5)  # longer than a beacon may be old
        began = time.monotonic()
        result = otto.set(bench.name, "lamp", 1)
        assert result["status"] == "refused", result
        assert "bridge is not there" in result["reason"]
        assert time.monotonic() - began < 1
