"""A script asks the bridge, and every refusal is told as what it is."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

import piio
from piio.client import Client
from piio.errors import MessageTooLarge, NoAnswer, NotAllowed, NotKnown, RequestFailed
from piio.requests import UnreadableAnswer


@pytest.fixture
def admin(broker: Any, bridge: Any) -> Iterator[Client]:
    """Somebody who may change configurations."""
    with piio.connect(broker.url("anna")) as client:
        yield client


def test_a_configuration_is_read_as_it_was_published(admin: Client) -> None:
    assert admin.configuration("demo")["revision"] == 7
    with pytest.raises(NotKnown):
        admin.configuration("nobody")


def test_a_patch_is_sent_in_our_name_and_its_answer_comes_back(admin: Client, bridge: Any) -> None:
    answer = admin.configure("demo", {"points": {"tank": {"unit": "l"}}}, base_revision=7)
    assert answer.ok and answer.revision == 8
    patch = {"points": {"tank": {"unit": "l"}}}
    assert bridge.requests == [("piio/demo/config/set", {"base_revision": 7, "patch": patch, "by": "anna"})]


def test_a_refused_configuration_names_the_paths(admin: Client, bridge: Any) -> None:
    bridge.answer = {"ok": False, "errors": [{"path": "points.tank.equation", "message": "unknown name 'y'"}]}
    answer = admin.configure("demo", {"points": {"tank": {"equation": "y"}}})
    assert not answer.ok and answer.errors is not None
    assert (answer.errors[0].path, answer.errors[0].message) == ("points.tank.equation", "unknown name 'y'")


def test_an_operator_may_not_configure_and_is_told(broker: Any, bridge: Any) -> None:
    with piio.connect(broker.url("otto")) as client, pytest.raises(NotAllowed, match="'otto' may not change"):
        client.configure("demo", {})
    assert bridge.requests == []


def test_history_comes_in_buckets(admin: Client, bridge: Any) -> None:
    bridge.answer = {"buckets": [[1000, 1, 3, 2]]}
    (bucket,) = found = admin.history("demo/tank", 1000, 2000, 10)
    assert found.gaps == []
    assert (bucket.time, bucket.min, bucket.max, bucket.mean) == (1000, 1, 3, 2)
    topic, request = bridge.requests[0]
    assert topic == "piio/demo/request/history"
    assert request == {"by": "anna", "point": "tank", "start": 1000, "end": 2000, "buckets": 10}


def test_revisions_restore_copy_and_forget_ask_for_what_they_say(admin: Client, bridge: Any) -> None:
    bridge.answer = {"revisions": [{"revision": 7, "updated": "2026-11-21T09:30:00Z", "by": "anna"}]}
    assert admin.revisions("demo")[0].revision == 7
    bridge.answer = {"ok": True, "revision": 8}
    assert admin.restore("demo", 5).revision == 8
    assert admin.copy("demo", "bench2").ok
    bridge.answer = {"ok": True}
    admin.forget("demo")
    assert [(topic.rpartition("/")[2], request) for topic, request in bridge.requests] == [
        ("revisions", {"by": "anna"}),
        ("restore", {"by": "anna", "revision": 5}),
        ("copy", {"by": "anna", "to": "bench2"}),
        ("forget", {"by": "anna"}),
    ]


def test_a_preview_gives_values_and_none_where_there_is_none(admin: Client, bridge: Any) -> None:
    bridge.answer = {"ok": True, "values": [0, None]}
    assert admin.preview("1/x", [1, 0]) == [0, None]


def test_a_request_that_failed_says_why_and_in_which_column(admin: Client, bridge: Any) -> None:
    bridge.answer = {"ok": False, "error": {"message": "unknown name 'y'", "column": 3}}
    with pytest.raises(RequestFailed, match="unknown name") as failure:
        admin.preview("x+y", [1])
    assert failure.value.column == 3


def test_an_answer_that_is_none_is_said(admin: Client, bridge: Any) -> None:
    bridge.answer = {"ok": True}
    with pytest.raises(UnreadableAnswer):
        admin.history("demo/tank")


def test_a_bridge_that_does_not_answer_is_said_in_time(admin: Client, bridge: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("piio.requests.ANSWER_WITHIN", 0.5)
    bridge.answer = None
    with pytest.raises(NoAnswer, match=r"within 0\.5 s"):
        admin.revisions("demo")


def test_a_bridge_that_is_gone_is_said_at_once(admin: Client, bridge: Any) -> None:
    bridge.stop()
    with pytest.raises(NoAnswer, match=r"offline|nobody is there"):
        admin.revisions("demo")


def test_a_bridge_that_goes_with_a_request_is_said_at_once(admin: Client, bridge: Any) -> None:
    bridge.answer = None
    bridge.on_request = bridge.stop
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="outcome unknown: the bridge has gone offline"):
        admin.revisions("demo")
    assert time.monotonic() - began < 2


def test_a_document_over_64_kb_is_refused_before_it_is_sent(admin: Client, bridge: Any) -> None:
    with pytest.raises(MessageTooLarge):
        admin.configure("demo", {"points": {"tank": {"label": "x" * 70_000}}})
    assert bridge.requests == []


def test_a_name_that_would_be_another_topic_is_never_sent(admin: Client, bridge: Any) -> None:
    for name in ("demo/config", "+", "#", "bridge", ""):
        with pytest.raises(NotKnown):
            admin.revisions(name)
    assert bridge.requests == []
