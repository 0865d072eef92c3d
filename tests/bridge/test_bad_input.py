"""Whatever arrives on whatever topic: nothing crashes, who asked gets a clear answer, nothing is lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Peer

NONSENSE = [
    b"", b"\xff\xfe\x00", b"null", b"true", b"[]", b"{}", b"{", b'"', b"NaN", b'{"a": NaN}', b'{"a": 1, "a": 2}',
    b"[" * 60_000, b'{"a":' * 500 + b"1" + b"}" * 500, b"9" * 5000, b"1e999", b'{"points": 3}',
    b'{"points": {"tank": {"equation": 3}}}', b"x" * 60_000, json.dumps({"boot": 1, "tick": "now"}).encode(),
]  # fmt: skip


def _topics(board: str) -> list[str]:
    return [
        f"piio/{board}/{rest}"
        for rest in (
            "status", "capabilities", "config", "config/applied", "config/set", "raw/adc/0", "raw/gpio/17/result",
            "value/tank/set", "beacon", "request/history", "request/revisions", "request/restore", "request/copy",
            "request/forget", "viewers/anna", "sim/adc/0", "health", "late/adc/0", "block/adc/0",
        )
    ] + ["piio/bridge/request/preview", "piio/bridge/beacon", "piio/bridge/status", "piio/UPPER/capabilities",
         "piio/bridge/capabilities", "piio/a/b/c/d/e/f/g", "piio/reply/anna/1"]  # fmt: skip


def test_nonsense_on_every_topic_changes_nothing_and_the_bridge_still_works(
    anna: Peer, board: Board, bridge: Bridge
) -> None:
    for topic in _topics(board.name):
        for payload in NONSENSE:
            if topic.endswith("/forget") and payload in (b"", b"{}"):
                continue  # this one is a request
            anna.publish(topic, payload, qos=1)
    answer = anna.request("piio/bridge/request/preview", {"equation": "x * 2", "x": [0, 512]})
    assert answer == {"ok": True, "values": [0, 1024]}
    assert bridge.process.poll() is None
    assert "Traceback" not in bridge.log
    revisions = anna.request(f"piio/{board.name}/request/revisions", {})["revisions"]
    assert [row["revision"] for row in revisions] == [0]


@pytest.mark.parametrize(
    ("verb", "document", "wanted"),
    [
        ("config/set", b"{", "not JSON"),
        ("config/set", b"\xff", "not UTF-8"),
        ("config/set", b'{"patch": {}, "config": {}}', "either a patch or a config"),
        ("config/set", b'{"patch": {"colour": 3}}', "unknown field"),
        ("config/set", b'{"pach": {}}', "pach"),
        ("config/set", b'{"patch": {"points": {"a": NaN}}}', "NaN"),
        ("request/history", b'{"point": "atlantis"}', "no point 'atlantis'"),
        ("request/history", b'{"point": "tank", "buckets": 5000}', "buckets"),
        ("request/history", b'{"point": "tank", "start": 5, "end": 1}', "start first"),
        ("config/set", b'{"patch": {"points": {"\\ud800": {}}}}', "surrogate"),
        ("config/set", b'{"patch": {}, "by": "\\ud800"}', "surrogate"),
        ("request/restore", b'{"revision": 99}', "no revision 99"),
        ("request/restore", b'{"revision": 99999999999999999999}', "Expected `int`"),
        ("request/restore", b'{"revision": "one"}', "revision"),
        ("request/copy", b'{"to": "atlantis"}', "no board 'atlantis'"),
        ("request/forget", b'{"force": true}', "force"),
    ],
)
def test_a_bad_request_gets_a_clear_answer(anna: Peer, board: Board, verb: str, document: bytes, wanted: str) -> None:
    answer = anna.request(f"piio/{board.name}/{verb}", document)
    assert answer["ok"] is False
    assert wanted in json.dumps(answer)


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        ({"equation": "1 / x", "x": [0, 2]}, {"ok": True, "values": [None, 0.5]}),
        ({"equation": "ambient * 2", "names": {"ambient": 21.5}}, {"ok": True, "values": [43]}),
        ({"equation": "x + ambient", "x": [1], "names": {"ambient": 2}}, {"ok": True, "values": [3]}),
    ],
)
def test_an_equation_is_tried_without_being_stored(anna: Peer, document: Any, answer: Any) -> None:
    assert anna.request("piio/bridge/request/preview", document) == answer


def test_a_wrong_equation_is_shown_where_it_is_wrong(anna: Peer) -> None:
    answer = anna.request("piio/bridge/request/preview", {"equation": "x + foo(1)", "x": [1]})
    assert answer["error"]["column"] == 5


def test_a_sign_of_life_that_was_kept_at_the_broker_is_none(
    anna: Peer, board: Board, bridge: Bridge, configure: Callable[..., Any]
) -> None:
    board.raw("adc/0", "5")
    configure({"tank": {"interface": "adc", "channel": "0"}})
    anna.wait(f"piio/{board.name}/quality/tank", b"good".__eq__)
    board.beating.clear()
    beacon = {"boot": "boot1", "connection": 1, "tick": 1.0, "period": 10}
    board.publish(f"piio/{board.name}/beacon", beacon, retain=True)
    since = anna.mark()
    bridge.kill()
    bridge.start()
    anna.wait(f"piio/{board.name}/quality/tank", lambda payload: b"no sign of life" in payload, since)
    assert b"good" not in anna.heard_on(f"piio/{board.name}/quality/tank", since)
    board.publish(f"piio/{board.name}/beacon", "", retain=True)


def test_raws_that_are_no_numbers_are_counted_and_told_in_one_line(anna: Peer, board: Board, bridge: Bridge) -> None:
    before = bridge.log.count("neither number, beacon, block nor late readings")
    for _ in range(200):
        anna.publish(f"piio/{board.name}/raw/adc/0", "nonsense", qos=0)
    bridge.wait_logged("neither number, beacon, block nor late readings")
    assert bridge.log.count("neither number, beacon, block nor late readings") - before <= 1
