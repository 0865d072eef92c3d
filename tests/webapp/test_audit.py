"""The audit trail by the web app: it says for whom it acts, and shows what became of it to those who may see it."""

import csv
import io
import json
from typing import Any

import pytest

from tests.webapp.bench import Bench
from tests.webapp.stage import Page, Stage, Visitor


def entries(page: Page, bench: Bench, **wanted: Any) -> list[Any]:
    answer = page.ask("ask", verb="audit", agent=bench.name, body=wanted)["answer"]
    assert answer["ok"], answer
    return list(answer["entries"])


def test_a_set_from_a_page_is_verified_with_the_browsers_address(bench: Bench) -> None:
    otto = bench.open("otto")
    otto.set(bench.name, "lamp", 1)
    otto.set(bench.name, "lamp", 2)
    refused, done, *_ = entries(otto, bench, point="lamp")
    assert (done["by"], done["verified"], done["origin"], done["address"]) == ("otto", True, "page", "127.0.0.1")
    assert (done["value"], done["outcome"], refused["value"], refused["outcome"]) == ("1", "done", "2", "refused")
    assert refused["verified"] and refused["reason"]
    otto.close()


def test_a_configuration_saved_by_a_page_is_verified_and_says_what_changed(bench: Bench) -> None:
    bench.configure({"points": {"knob": {"label": "Big knob"}}})
    page = bench.open("anna", bench.admin)
    newest, *_ = entries(page, bench)
    assert (newest["what"], newest["by"], newest["verified"]) == ("config", "anna", True)
    assert newest["value"].endswith(": points.knob.label")
    bench.configure({"points": {"knob": {"label": "Knob"}}})
    page.close()


def test_a_page_that_claims_to_be_somebody_else_is_who_is_logged_in(bench: Bench) -> None:
    page = bench.open("anna", bench.admin)
    page.ask("ask", verb="save", agent=bench.name, body={"patch": {"points": {"knob": {"unit": "x"}}}, "by": "otto"})
    assert entries(page, bench)[0]["by"] == "anna"
    bench.configure({"points": {"knob": {"unit": ""}}}, page)
    page.close()


@pytest.mark.parametrize(("verb", "agent"), [("audit", "bench1"), ("audit_all", None)])
def test_a_viewer_does_not_see_the_trail(stage: Stage, bench: Bench, verb: str, agent: str | None) -> None:
    vera = stage.visitor("vera")
    page = vera.page()
    page.look(None)
    answer = page.ask("ask", verb=verb, agent=agent, body={})["answer"]
    assert not answer["ok"] and "operator" in answer["error"]["message"]
    assert [vera.get(path).status for path in ("/audit", "/audit.csv")] == [403, 403]
    assert "/audit" not in vera.get("/").text
    page.close()


def test_a_stranger_is_asked_to_log_in(stage: Stage, bench: Bench) -> None:
    assert "/login" in Visitor(stage.url).get("/audit.csv").url


def test_the_csv_has_every_entry_of_the_person_however_many_answers_it_takes(stage: Stage, bench: Bench) -> None:
    otto = stage.visitor("otto")
    with stage.connection() as connection:
        set_by_petra = {"value": 7, "by": "petra =x", "id": "x" * 64}
        for _ in range(150):
            connection.publish(f"piio/{bench.name}/value/lamp/set", json.dumps(set_by_petra))
            connection.publish(f"piio/{bench.name}/value/lamp/set", f'"=1+1{"y" * 400}', 0)
    page = bench.open("otto", otto)
    page.set(bench.name, "lamp", 0)
    answer = otto.get(f"/audit.csv?board={bench.name}")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert (rows[0]["value"], rows[0]["by"], rows[0]["verified"]) == ("0", "otto", "yes")
    assert sum(row["value"].startswith('"=1+1') for row in rows) == 150
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]
    (petra,) = csv.DictReader(io.StringIO(otto.get(f"/audit.csv?board={bench.name}&person=petra%20%3Dx").text))
    assert petra["verified"] == "no"
    page.close()


def test_a_name_that_is_none_is_no_page(stage: Stage, bench: Bench) -> None:
    assert stage.visitor("otto").get("/audit.csv?board=../x").status == 404


def test_without_a_bridge_the_csv_says_so(stage: Stage, bench: Bench) -> None:
    otto = stage.visitor("otto")
    page = bench.open("otto", otto)
    with bench.without_bridge(page):
        answer = otto.get("/audit.csv")
        assert answer.status == 503 and "bridge" in answer.text
    page.close()
