"""The audit trail as people and scripts read it."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import piio

Piio = Callable[..., Any]

ENTRY = {
    "number": 9, "time": 1795253400.25, "board": "demo", "point": "pump", "what": "set", "value": "1", "by": "anna",
    "verified": True, "origin": "page", "address": "192.0.2.20", "outcome": "done", "reason": "", "id": "a1",
}  # fmt: skip
REFUSED = {
    **ENTRY, "number": 8, "value": "=HYPERLINK(1)", "by": "otto", "verified": False, "origin": "plain",
    "address": "mqtt", "outcome": "refused", "reason": "'=HYPERLINK(1)' is not a number", "id": "a2",
}  # fmt: skip


def test_audit_prints_who_did_what_from_where_and_what_became_of_it(piio: Piio, bridge: Any) -> None:
    bridge.answer = {"ok": True, "entries": [ENTRY, REFUSED], "next": None}
    done = piio("audit", "demo", "--point", "pump", "--by", "anna", "--limit", "5")
    assert (done.status, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first.split()[2:] == ["demo/pump", "set", "1", "anna", "✓", "192.0.2.20", "done"]
    assert second.endswith("otto    mqtt        refused: '=HYPERLINK(1)' is not a number")
    assert bridge.requests == [
        ("piio/demo/request/audit", {"by": "otto", "point": "pump", "person": "anna", "limit": 5})
    ]


def test_a_long_change_pushes_only_its_own_row(piio: Piio, bridge: Any) -> None:
    changed = {**ENTRY, "point": None, "what": "config", "value": f"revision 8: {'points.tank.unit, ' * 10}"}
    bridge.answer = {"ok": True, "entries": [changed, ENTRY], "next": None}
    first, second = piio("audit").out.splitlines()
    assert len(first) > 200 and len(second) < 120


def test_audit_of_all_boards_reads_on_until_there_is_no_more(piio: Piio, bridge: Any) -> None:
    bridge.answers = [{"ok": True, "entries": [ENTRY], "next": 9}, {"ok": True, "entries": [REFUSED], "next": None}]
    done = piio("audit", "--json")
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["a1", "a2"]
    assert [(topic, request.get("before")) for topic, request in bridge.requests] == [
        ("piio/bridge/request/audit", None),
        ("piio/bridge/request/audit", 9),
    ]


def test_audit_as_csv_has_a_header_and_nothing_that_a_spreadsheet_would_carry_out(piio: Piio, bridge: Any) -> None:
    minus = {**ENTRY, "value": "-1.5", "reason": "@SUM(1)"}
    bridge.answer = {"ok": True, "entries": [minus, REFUSED], "next": None}
    done = piio("audit", "--csv", "--since", "1h")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["value"] for row in rows] == ["-1.5", "'=HYPERLINK(1)"]
    assert (rows[0]["time"], rows[0]["verified"], rows[0]["reason"]) == ("2026-11-21T09:30:00.250Z", "yes", "'@SUM(1)")
    assert "start" in bridge.requests[0][1]


def test_audit_says_what_was_lost_and_that_there_is_nothing(piio: Piio, bridge: Any) -> None:
    bridge.answer = {"ok": True, "entries": [], "next": None, "dropped": 7}
    done = piio("audit")
    assert done.status == 0 and "no such entries" in done.err and "7 entries were lost" in done.err


def test_a_viewer_may_not_read_the_audit_trail_and_is_told(piio: Piio, bridge: Any) -> None:
    done = piio("audit", "demo", user="vera")
    assert done.status == 1 and "'vera' may not read the audit trail" in done.err and bridge.requests == []


def test_an_age_that_is_none_is_said(piio: Piio) -> None:
    done = piio("audit", "--since", "yesterday")
    assert done.status == 2 and "'yesterday' is not an age" in done.err


def test_the_client_returns_entries(broker: Any, bridge: Any) -> None:
    bridge.answer = {"ok": True, "entries": [ENTRY], "next": 9}
    with piio.connect(broker.url("otto")) as client:
        entries, dropped = client.audit("demo", limit=1)
    assert (entries[0].by, entries[0].verified, dropped) == ("anna", True, 0)
