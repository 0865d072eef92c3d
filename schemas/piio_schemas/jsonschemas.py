"""JSON Schemas (2020-12) of every document of the contract, made from the models. No I/O."""

from collections.abc import Iterator
from typing import Any

import msgspec

from piio_schemas import audit, requests
from piio_schemas.identifiers import NAME, POINT
from piio_schemas.topics import TABLE

DIALECT = "https://json-schema.org/draft/2020-12/schema"

ANSWERS: tuple[type, ...] = (
    requests.Answer,
    requests.ConfigurationAnswer,
    requests.PreviewAnswer,
    requests.HistoryAnswer,
    requests.RevisionsAnswer,
    audit.AuditAnswer,
    requests.Done,
)
"""What may arrive on a reply topic."""

NUMBER_PATTERN = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$"

READINGS = {
    "title": "Readings",
    "description": "Pairs of Unix seconds and the raw from then on, oldest first; null: from then on none is known. "
    "What was in between is vouched for: it was as the one before.",
    "type": "array",
    "items": {
        "type": "array",
        "prefixItems": [{"type": "number"}, {"type": ["number", "null"]}],
        "items": False,
        "minItems": 2,
    },
}

HOME_ASSISTANT_DEVICE = {
    "title": "HomeAssistantDevice",
    "description": "Home Assistant's device discovery document; its own documentation says more.",
    "type": "object",
    "properties": {"dev": {"type": "object"}, "o": {"type": "object"}, "cmps": {"type": "object"}},
    "required": ["dev", "o", "cmps"],
}

_KEYS = {"points": f"^{POINT}$", "displays": f"^{NAME}$", "interfaces": f"^{NAME}$"}
"""What the keys of an object look like, by the name of the field that holds it."""


def models() -> list[type]:
    """Return the models that messages carry, in the order of the topic table."""
    found = [row.document for row in TABLE if isinstance(row.document, type) and row.document is not dict]
    return list(dict.fromkeys([*found, *ANSWERS]))


def components(ref: str = "#/$defs/{name}") -> dict[str, Any]:
    """Return the schema of every model by its name, those that models are made of among them."""
    _, found = msgspec.json.schema_components(models(), ref_template=ref)
    return {name: _tidied(schema) for name, schema in sorted(found.items())}


def documents() -> dict[str, dict[str, Any]]:
    """Return a self-contained schema of each document, by file name without its ending."""
    every = components()
    found = {_file_name(model.__name__): _standalone(model.__name__, every) for model in models()}
    found["readings"] = {"$schema": DIALECT, **READINGS}
    return dict(sorted(found.items()))


def _standalone(name: str, every: dict[str, Any]) -> dict[str, Any]:
    needed = sorted(set(_needed(every[name], every, {name})))
    definitions = {"$defs": {other: every[other] for other in needed}} if needed else {}
    return {"$schema": DIALECT, **every[name], **definitions}


def _needed(schema: Any, every: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """Name every schema that this one refers to, however far."""
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _needed(value, every, seen)
    if isinstance(schema, dict) and "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            yield name
            yield from _needed(every[name], every, seen)


def _tidied(schema: Any, name: str = "") -> Any:
    """Say what the models cannot: how keys look; and leave out what only tools for older dialects need."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidied = {
        key: {field: _tidied(each, field) for field, each in value.items()} if key == "properties" else _tidied(value)
        for key, value in schema.items()
        if key != "discriminator"
    }
    if tidied.get("title") == "InputPoint":
        tidied["required"] = []  # what says no direction is an input
    if name in _KEYS and "additionalProperties" in tidied:
        tidied["propertyNames"] = {"pattern": _KEYS[name]}
    return tidied


def _file_name(name: str) -> str:
    """Return `set-result` for `SetResult`."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
