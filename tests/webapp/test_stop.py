"""Stops from pages: who may, what is told, and that they go out whatever else waits."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.webapp.bench import Bench
from tests.webapp.stage import Page, Stage


@pytest.fixture
def otto(bench: Bench) -> Iterator[Page]:
    page = bench.open("otto")
    yield page
    page.close()


def applied(page: Page, point: str) -> Any:
    """What the board said last of a point."""
    documents = [frame["board"]["applied"] for frame in page.frames if (frame.get("board") or {}).get("applied")]
    return documents[-1]["points"].get(point, {}) if documents else {}


@pytest.mark.parametrize("everywhere", [False, True], ids=["this board", "all boards"])
def test_an_operator_stops_and_hears_how_many_outputs_did(bench: Bench, otto: Page, everywhere: bool) -> None:
    assert otto.set(bench.name, "lamp", 1)["status"] == "done"
    told = otto.ask("stop", agent=None if everywhere else bench.name)
    assert (told["status"], told["by"], told["left"]) == ("done", "otto", {}), told
    assert told["outputs"] >= 1
    otto.wait(lambda: applied(otto, "lamp").get("fail_safe") == "stopped by otto", "the fail-safe")
    otto.wait(lambda: any(f.get("values", {}).get("lamp") == 0 for f in otto.frames[-40:]), "the lamp off")
    assert otto.set(bench.name, "lamp", 0)["status"] == "done"


def test_the_audit_trail_knows_who_stopped(bench: Bench, otto: Page) -> None:
    otto.ask("stop", agent=bench.name)
    entries = otto.ask("ask", verb="audit", agent=bench.name, body={"limit": 20})["answer"]["entries"]
    newest = next(entry for entry in entries if entry["what"] == "stop")
    assert (newest["by"], newest["verified"], newest["origin"]) == ("otto", True, "page")


def test_a_viewer_is_refused_with_the_reason(bench: Bench) -> None:
    vera = bench.open("vera")
    told = vera.ask("stop", agent=bench.name)
    assert (told["status"], "operator" in told["reason"]) == ("refused", True)
    vera.close()


def test_the_list_of_boards_says_how_many_outputs_are_stopped(stage: Stage, bench: Bench) -> None:
    page = stage.visitor("otto").page()
    page.look()
    assert page.ask("stop", agent=None)["status"] == "done"
    page.wait(lambda: any(f.get("boards", {}).get(bench.name, {}).get("stopped") for f in page.frames), "the number")
    page.close()


def test_without_a_bridge_a_stop_works_all_the_same(bench: Bench, otto: Page) -> None:
    with bench.without_bridge(otto):
        assert otto.ask("stop", agent=bench.name)["status"] == "done"


def test_of_a_board_that_is_not_there_it_is_said(otto: Page) -> None:
    told = otto.ask("stop", agent="nowhere")
    assert (told["status"], told["offline"]) == ("failed", ["nowhere"])
