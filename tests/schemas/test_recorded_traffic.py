"""What really travels between broker, bridge, board and people is what `schemas/` says."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import piio
from piio.address import read_address
from piio.connection import Connection, Message
from piio_schemas import topics
from piio_schemas.blocks import read_block
from piio_schemas.commands import read_set
from piio_schemas.documents import read_json
from piio_schemas.jsonschemas import documents
from piio_schemas.numbers import number_from_text
from piio_schemas.topics import match

SEEN_AT_LEAST = {
    topics.STATUS, topics.CAPABILITIES, topics.CONFIG, topics.APPLIED, topics.CONFIG_SET, topics.RAW, topics.RAW_SET,
    topics.RAW_RESULT, topics.VALUE, topics.VALUE_SET, topics.VALUE_RESULT, topics.QUALITY, topics.BEACON,
    topics.VIEWERS, topics.REQUEST_PREVIEW, topics.REPLY, topics.BRIDGE_STATUS, topics.BRIDGE_BEACON,
}  # fmt: skip


@pytest.fixture(scope="module")
def traffic(installation: Any) -> Iterator[list[Message]]:
    """Everything that was published while somebody watched, set, asked and configured."""
    heard: list[Message] = []
    secret = (installation.state / "secrets" / "bridge.password").read_text().strip()
    where = read_address(installation.env["PIIO_URL"])
    url = f"mqtt://bridge:{secret}@{where.host}:{where.port}"
    with Connection(read_address(url), heard.append) as ears:
        ears.subscribe([("piio/#", 0)])
        with piio.connect(installation.env["PIIO_ADMIN_URL"]) as admin, admin.watch("demo") as watch:
            next(watch)
            revision = admin.configuration("demo")["revision"]
            assert admin.set("demo/lamp", 1).done
            assert admin.set("demo/lamp", "toggle").done
            assert not admin.set("demo/lamp", 2).done
            admin.preview("1/x", [0, 1])
            admin.configure("demo", {"points": {"tank": {"period": 0}}})
            admin.configure("demo", {"points": {"tank": {"label": f"Tank {time.time_ns()}"}}})
            assert admin.restore("demo", revision).ok
            admin.revisions("demo")
            admin.history("demo/tank")
            end = time.monotonic() + 10
            while not {row.pattern for row in SEEN_AT_LEAST} <= _rows(heard) and time.monotonic() < end:
                threading.Event().wait(0.1)
        yield list(heard)


def test_every_topic_that_travels_is_in_the_table(traffic: list[Message]) -> None:
    assert [message.topic for message in traffic if match(message.topic) is None] == []


def test_the_recording_has_what_makes_it_worth_checking(traffic: list[Message]) -> None:
    assert {row.pattern for row in SEEN_AT_LEAST} - _rows(traffic) == set()


def test_every_payload_is_what_its_row_says(traffic: list[Message]) -> None:
    validators = {name: Draft202012Validator(schema) for name, schema in documents().items()}
    for message in traffic:
        found = match(message.topic)
        assert found is not None
        if message.payload:
            assert _faults(found.topic, message.payload, validators) == [], (message.topic, message.payload[:300])


def test_nothing_that_causes_an_action_was_retained(traffic: list[Message]) -> None:
    assert [message.topic for message in traffic if message.retained and message.topic.endswith("/set")] == []


def _rows(heard: list[Message]) -> set[str]:
    found = [match(message.topic) for message in list(heard)]
    return {each.topic.pattern for each in found if each}


def _faults(row: topics.Topic, payload: bytes, validators: dict[str, Draft202012Validator]) -> list[str]:
    if row.document == topics.NUMBER:
        return [] if number_from_text(payload) is not None else ["not a number"]
    if row.document == topics.BLOCK:
        return [] if read_block(payload) else ["not a block"]
    if row.document == topics.TEXT:
        return [] if payload.decode() else ["empty"]
    if row is topics.VALUE_SET and not payload.startswith(b"{"):
        return [] if read_set(payload) else ["not a set"]
    names = [name for name in validators if name.endswith("answer") or name == "done"]
    if row.document == topics.READINGS:
        names = ["readings"]
    elif isinstance(row.document, type):
        names = ["".join(f"-{c.lower()}" if c.isupper() else c for c in row.document.__name__).lstrip("-")]
    document = read_json(payload)
    faults = [[error.message for error in validators[name].iter_errors(document)] for name in names]
    return min(faults, key=len)
