"""Whatever was asked is in the audit trail: who, when, what, from where, and what became of it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_bridge.store.audit import MOST_WAITING, Audit
from piio_bridge.store.database import open_database
from piio_schemas.audit import AuditEntry, AuditRequest
from tests.bridge.peers import Board, Bridge, Broker, Peer

LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


@pytest.fixture
def lamp(bridge: Bridge, board: Board, anna: Peer, configure: Callable[..., Any]) -> str:
    """The topic of an output that is good."""
    board.raw("gpio/17", "0")
    configure({"lamp": LAMP}, by="anna")
    anna.wait(f"piio/{board.name}/quality/lamp", b"good".__eq__)
    bridge.wait_for_plain_sets()
    return f"piio/{board.name}/value/lamp"


@pytest.fixture
def webapp(broker: Broker) -> Iterator[Peer]:
    """The one that may say for whom it acts."""
    peer = Peer(broker)
    yield peer
    peer.close()


def vouch(webapp: Peer, id: str, by: str) -> None:
    webapp.publish("piio/webapp/w1/acted", {"id": id, "by": by, "address": "192.0.2.20"}, qos=0)


def outcome(anna: Peer, topic: str, payload: Any, by: Peer | None = None, retain: bool = False) -> Any:
    """Send a set and return its result."""
    since = anna.mark()
    (by or anna).publish(f"{topic}/set", payload, retain, 0)
    return json.loads(anna.wait(f"{topic}/result", bool, since))


def trail(anna: Peer, board: Board, **wanted: Any) -> list[Any]:
    """Return the entries of a board, newest first."""
    answer = anna.request(f"piio/{board.name}/request/audit", wanted)
    assert answer["ok"], answer
    return list(answer["entries"])


def test_a_set_is_one_entry_with_its_outcome(anna: Peer, board: Board, lamp: str) -> None:
    before = time.time()
    result = outcome(anna, lamp, {"value": "on", "id": "s1", "by": "anna", "pulse": 0.5})
    entry, *_ = trail(anna, board, point="lamp")
    assert {key: entry[key] for key in ("board", "point", "what", "value", "by", "verified", "origin", "id")} == {
        "board": board.name, "point": "lamp", "what": "set", "value": "ON for 0.5 s", "by": "anna",
        "verified": False, "origin": "plain", "id": result["id"],
    }  # fmt: skip
    assert (entry["outcome"], entry["reason"], entry["address"]) == ("done", "", "mqtt")
    assert before - 1 <= entry["time"] <= time.time() + 1


@pytest.mark.parametrize(
    ("payload", "value", "by"),
    [("2", "2", ""), ("open\x1b[31m", "open\ufffd[31m", ""), ('{"value": 7, "by": "otto"}', "7", "otto")],
)
def test_what_is_refused_is_an_entry_too_even_when_it_was_no_set_at_all(
    anna: Peer, board: Board, lamp: str, payload: str, value: str, by: str
) -> None:
    reason = outcome(anna, lamp, payload)["reason"]
    entry, *_ = trail(anna, board, point="lamp")
    assert (entry["value"], entry["outcome"], entry["by"]) == (value, "refused", by)
    assert entry["reason"][:20] == reason[:20]


def test_an_old_set_is_an_entry_that_says_expired(anna: Peer, board: Board, lamp: str) -> None:
    beacon = json.loads(anna.wait("piio/bridge/beacon", bool, anna.mark()))
    echo = {"boot": beacon["boot"], "connection": beacon["connection"], "tick": beacon["tick"] - 3}
    outcome(anna, lamp, {"value": 1, "beacon": echo})
    entry, *_ = trail(anna, board, point="lamp")
    assert (entry["outcome"], entry["origin"]) == ("expired", "echoed")


def test_a_set_without_a_result_is_an_entry_that_says_that_nobody_knows(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    outcome(anna, lamp, {"value": 1, "ttl": 1.5})
    entry, *_ = trail(anna, board, point="lamp")
    assert (entry["outcome"], entry["reason"]) == ("failed", "outcome unknown: no result came in time")


def test_a_result_that_comes_late_is_not_hidden(anna: Peer, board: Board, lamp: str) -> None:
    board.answering = False
    since = anna.mark()
    outcome(anna, lamp, {"value": 1, "ttl": 1.5, "id": "late"})
    write = json.loads(board.wait(f"piio/{board.name}/raw/gpio/17/set"))
    board.publish(f"piio/{board.name}/raw/gpio/17/result", {"id": write["id"], "status": "done", "read": 1})
    told = json.loads(anna.wait(f"{lamp}/result", lambda payload: b"told late" in payload, since))
    assert (told["id"], told["status"], told["value"]) == ("late", "done", 1)
    event = json.loads(anna.wait(f"piio/{board.name}/event/lamp"))
    assert (event["kind"], "told late" in event["reason"]) == ("alert", True)
    assert [entry["outcome"] for entry in trail(anna, board, point="lamp")] == ["done", "failed"]
    assert outcome(anna, lamp, {"value": 1, "ttl": 1.5, "id": "late"})["status"] == "done"


def test_whom_the_web_app_acts_for_is_verified(anna: Peer, webapp: Peer, board: Board, lamp: str) -> None:
    vouch(webapp, "w-1", "otto")
    outcome(anna, lamp, {"value": 1, "id": "w-1", "by": "somebody"}, webapp)
    entry, *_ = trail(anna, board, point="lamp")
    assert (entry["by"], entry["verified"], entry["origin"], entry["address"]) == ("otto", True, "page", "192.0.2.20")


def test_an_id_that_was_vouched_for_is_worth_nothing_to_who_uses_it_again(
    anna: Peer, webapp: Peer, board: Board, lamp: str
) -> None:
    vouch(webapp, "w-2", "otto")
    outcome(anna, lamp, {"value": 1, "id": "w-2"}, webapp)
    outcome(anna, lamp, {"value": 0, "id": "w-2", "by": "otto"})
    newest, before, *_ = trail(anna, board, point="lamp")
    assert (before["outcome"], before["verified"]) == ("done", True)
    assert (newest["outcome"], newest["verified"], newest["by"]) == ("refused", False, "otto")


def test_a_set_that_comes_twice_is_one_entry(anna: Peer, board: Board, lamp: str) -> None:
    for _ in range(2):
        outcome(anna, lamp, {"value": 1, "id": "s2"})
    assert [entry["id"] for entry in trail(anna, board, point="lamp")] == ["s2"]


def test_a_configuration_says_what_changed(
    anna: Peer, webapp: Peer, board: Board, lamp: str, configure: Callable[..., Any]
) -> None:
    configure({"lamp": {"label": "Lamp"}}, by="anna")
    topic = f"piio/{board.name}/config/set"
    anna.request(topic, {"patch": {"points": {"lamp": {"interface": "nothing"}}}, "by": "anna"})
    anna.request(f"piio/{board.name}/request/restore", {"revision": 1, "by": "anna"})
    refused = [entry for entry in trail(anna, board) if entry["outcome"] == "refused"]
    assert ["points.lamp.interface" in entry["reason"] for entry in refused] == [True]
    done = [(entry["what"], entry["value"], entry["by"]) for entry in trail(anna, board) if entry["outcome"] == "done"]
    assert done == [
        ("restore", "revision 1 again, revision 3: points.lamp.label", "anna"),
        ("config", "revision 2: points.lamp.label", "anna"),
        ("config", "revision 1: points.lamp (new)", "anna"),
    ]


def test_who_changes_a_configuration_by_a_page_is_verified(anna: Peer, webapp: Peer, board: Board, lamp: str) -> None:
    vouch(webapp, "1", "otto")  # the correlation of its first request
    patch = {"points": {"lamp": {"unit": "x"}}}
    webapp.request(f"piio/{board.name}/config/set", {"patch": patch, "by": "otto"})
    entry, *_ = trail(anna, board)
    assert (entry["what"], entry["by"], entry["verified"], entry["address"]) == ("config", "otto", True, "192.0.2.20")


def test_a_copy_stands_with_the_board_that_it_changes(
    anna: Peer, board: Board, new_board: Callable[..., Board], lamp: str
) -> None:
    other = new_board()
    anna.request(f"piio/{board.name}/request/copy", {"to": other.name, "by": "anna"})
    (entry,) = [entry for entry in trail(anna, other) if entry["board"]]
    assert (entry["what"], entry["value"]) == ("copy", f"from {board.name}, revision 1: points.lamp (new)")


def test_a_stop_is_an_entry_and_one_of_all_boards_is_in_the_trail_of_each(
    anna: Peer, webapp: Peer, board: Board, lamp: str
) -> None:
    anna.publish(f"piio/{board.name}/stop", "halt!")
    vouch(webapp, "w-stop", "otto")
    webapp.publish("piio/stop", {"by": "otto", "id": "w-stop"})
    since = anna.mark()
    anna.publish(f"piio/{board.name}/stop", "again and again", retain=True)
    anna.wait(f"piio/{board.name}/stop", b"".__eq__, since)
    stops = [entry for entry in trail(anna, board) if entry["what"] == "stop"]
    assert sorted((entry["board"] or "", entry["by"], entry["verified"]) for entry in stops) == [
        ("", "otto", True), (board.name, "", False),
    ]  # fmt: skip


def test_a_fail_safe_is_one_entry_however_often_the_bridge_starts(
    anna: Peer, board: Board, lamp: str, bridge: Bridge
) -> None:
    newest = {"reason": "no sign of the bridge", "time": 1795253400.0}
    points = {"lamp": {"ok": True, "fail_safe": newest["reason"], "last_fail_safe": newest}}
    store = json.loads(anna.last(f"piio/{board.name}/config") or b"")["store"]
    board.say("config/applied", {"store": store, "revision": 1, "boot": "boot1", "points": points})
    anna.wait(f"piio/{board.name}/event/lamp")
    bridge.stop()
    bridge.start()
    entries = [entry for entry in trail(anna, board) if entry["what"] == "fail_safe"]
    assert [(entry["point"], entry["reason"], entry["origin"]) for entry in entries] == [
        ("lamp", "no sign of the bridge", "board")
    ]


def test_a_set_that_was_under_way_when_the_bridge_was_stopped_is_not_forgotten(
    anna: Peer, board: Board, lamp: str, bridge: Bridge
) -> None:
    board.answering = False
    anna.publish(f"{lamp}/set", {"value": 1, "id": "s3"}, qos=0)
    board.wait(f"piio/{board.name}/raw/gpio/17/set")
    bridge.stop()
    bridge.start()
    entry, *_ = trail(anna, board, point="lamp")
    assert (entry["id"], entry["outcome"], entry["reason"]) == (
        "s3", "failed", "outcome unknown: the bridge was stopped",
    )  # fmt: skip


def test_a_killed_bridge_loses_no_more_than_the_last_second(
    anna: Peer, board: Board, lamp: str, bridge: Bridge
) -> None:
    outcome(anna, lamp, {"value": 1, "id": "s4"})
    for _ in range(2):  # own beacons: one a second
        anna.wait("piio/bridge/beacon", bool, anna.mark())
    bridge.kill()
    bridge.start()
    assert trail(anna, board, point="lamp")[0]["id"] == "s4"


def test_the_trail_is_read_on_with_a_cursor_and_narrowed(anna: Peer, board: Board, lamp: str) -> None:
    for number, by in enumerate(["anna", "otto", "anna"]):
        outcome(anna, lamp, {"value": number % 2, "id": f"c{number}", "by": by})
    topic = f"piio/{board.name}/request/audit"
    first = anna.request(topic, {"limit": 2, "point": "lamp"})
    rest = anna.request(topic, {"limit": 2, "point": "lamp", "before": first["next"]})
    assert [entry["id"] for entry in first["entries"] + rest["entries"]] == ["c2", "c1", "c0"]
    assert rest["next"] is None
    assert [entry["id"] for entry in trail(anna, board, point="lamp", person="otto")] == ["c1"]
    assert trail(anna, board, end=rest["entries"][0]["time"] - 60) == []
    everywhere = anna.request("piio/bridge/request/audit", {"limit": 1})
    assert everywhere["entries"][0]["id"] == "c2"


def test_an_answer_fits_into_a_message_and_says_how_to_go_on(anna: Peer, board: Board, lamp: str) -> None:
    for number in range(160):
        anna.publish(f"{lamp}/set", f"{number} {'x' * 400}", qos=0)
    anna.wait(f"{lamp}/result", lambda payload: b"'159 " in payload)
    topic, seen, before = f"piio/{board.name}/request/audit", 0, None
    while seen == 0 or before is not None:
        answer = anna.request(topic, {"limit": 1000, "point": "lamp", **({"before": before} if before else {})})
        seen, before = seen + len(answer["entries"]), answer["next"]
    assert seen == 160


def entry(number: int) -> AuditEntry:
    return AuditEntry(number=0, time=float(number), board="demo", what="set", origin="plain", outcome="done")


def test_what_was_done_to_all_boards_is_in_the_trail_of_each(database: str) -> None:
    audit = Audit(open_database(database))
    for board in ("demo", "other", None):
        audit.keep(AuditEntry(number=0, time=1.0, board=board, what="stop", origin="plain", outcome="done"))
    assert [each.board for each in audit.entries("demo", AuditRequest())] == [None, "demo"]


def test_the_oldest_entries_go_when_there_are_too_many_on_disk(database: str) -> None:
    audit = Audit(open_database(database), most_kept=10)
    for number in range(25):
        audit.keep(entry(number))
        audit.flush()
    assert [each.time for each in audit.entries(None, AuditRequest())] == [float(n) for n in range(24, 14, -1)]


def test_a_disk_that_does_not_keep_up_costs_the_oldest_and_is_counted_and_blocks_nobody(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bridge.db'}"
    engine = open_database(url)
    with open_database(url).begin(), Audit(engine) as audit:  # another program holds the database
        began = time.monotonic()
        for number in range(MOST_WAITING + 5):
            audit.keep(entry(number))
        assert time.monotonic() - began < 2
    kept = audit.entries(None, AuditRequest(limit=1))
    assert (kept[0].time, audit.dropped) == (float(MOST_WAITING + 4), 5)
