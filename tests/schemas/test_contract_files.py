"""What `schemas/` says to people of any language is what the models and the topic table say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from piio_schemas.asyncapi import asyncapi, channels_by_id
from piio_schemas.documents import DocumentError, as_model
from piio_schemas.examples import EXAMPLES
from piio_schemas.jsonschemas import documents, models
from piio_schemas.roles import Role
from piio_schemas.topics import TABLE

SCHEMAS = Path(__file__).parents[2] / "schemas"

BY_NAME = {model.__name__: model for model in models()}


def test_every_schema_file_is_what_the_models_say() -> None:
    on_disk = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in _files()}
    assert on_disk == documents(), "run python schemas/write.py"


def test_the_asyncapi_file_is_what_the_table_says() -> None:
    on_disk = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
    assert on_disk == json.loads(json.dumps(asyncapi())), "run python schemas/write.py"


@pytest.mark.parametrize("name", sorted(documents()))
def test_every_schema_is_one_of_2020_12(name: str) -> None:
    schema = documents()[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_valid_by_schema_and_by_model(name: str) -> None:
    for example in EXAMPLES[name]:
        Draft202012Validator(_schema(name)).validate(example)
        if name in BY_NAME:
            as_model(example, BY_NAME[name])


def test_every_document_has_an_example() -> None:
    assert set(BY_NAME) <= set(EXAMPLES)


WRONG: list[tuple[str, Any]] = [
    ("Set", {"value": 1, "ttl": 9}),
    ("Set", {"value": 1, "ttl": 1}),
    ("Set", {"value": 1, "extra": 1}),
    ("Set", {"id": "a"}),
    ("Set", {"value": 1, "id": ""}),
    ("Set", {"value": [1]}),
    ("Configuration", {"points": {"tank": {"direction": "output"}}}),
    ("Configuration", {"points": {"tank": {"direction": "input", "period": 0}}}),
    ("Configuration", {"points": {"tank": {"direction": "input", "colour": "red"}}}),
    ("Configuration", {"displays": {"d": {"type": "numeric", "place": {"w": 13}}}}),
    ("Configuration", {"revision": -1}),
    ("HistoryRequest", {"point": "tank", "buckets": 1001}),
    ("RestoreRequest", {}),
    ("ViewersLease", {"seconds": 0}),
    ("WriteResult", {"id": "a", "status": "maybe"}),
    ("Beacon", {"boot": "a", "connection": 0, "tick": 1, "period": 1}),
]


@pytest.mark.parametrize(("name", "document"), WRONG)
def test_what_the_model_refuses_the_schema_refuses_too(name: str, document: Any) -> None:
    with pytest.raises(DocumentError):
        as_model(document, BY_NAME[name])
    assert not Draft202012Validator(_schema(name)).is_valid(document)


def test_words_that_no_set_knows_are_refused_by_the_schema() -> None:
    validator = Draft202012Validator(_schema("Set"))
    assert validator.is_valid({"value": "On"})
    assert not validator.is_valid({"value": "open"})


def test_every_topic_of_the_table_is_a_channel_with_both_directions() -> None:
    document = asyncapi()
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {row.pattern.replace("{prefix}", "piio") for row in TABLE}
    for id in document["channels"]:
        actions = [
            operation["action"]
            for operation in document["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{id}"
        ]
        assert sorted(actions) == ["receive", "send"]


def test_roles_in_the_document_are_those_of_the_table() -> None:
    table = asyncapi()["x-roles"]
    for id, row in channels_by_id().items():
        for role in set(Role) - {Role.BRIDGE}:
            assert (id in table[role.value]["write"]) == (role in row.write)
            assert (id in table[role.value]["read"]) == (role in row.read)


def test_every_reference_in_the_document_leads_somewhere() -> None:
    document = asyncapi()
    for reference in _references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_request_says_what_it_is_answered() -> None:
    operations = asyncapi()["operations"]
    requests = [name for name in operations if name.startswith(("sendRequest", "sendConfigSet"))]
    assert len(requests) == 9
    assert all("reply" in operations[name] for name in requests)


def test_parameters_of_a_channel_are_the_braces_of_its_address() -> None:
    for id, channel in asyncapi()["channels"].items():
        assert set(channel.get("parameters", {})) == set(channels_by_id()[id].levels)


def _files() -> list[Path]:
    return sorted(SCHEMAS.glob("*.schema.json"))


def _schema(name: str) -> dict[str, Any]:
    file = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
    return documents()[file]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []
