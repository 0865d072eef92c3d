"""From a driver's dataclass to a JSON Schema, and from a person's JSON or TOML to that dataclass, strictly."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from piio_agent.interfaces.errors import InterfaceError, SettingsError

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(cls: type[Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a dataclass: titles, descriptions, defaults, and nothing that it does not name."""
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise TypeError(f"{cls} is not a dataclass")
    made = msgspec.json.schema(cls)
    definitions = dict(made.get("$defs", {}))
    body = definitions.pop(made["$ref"].rsplit("/", 1)[1]) if "$ref" in made else made
    result = {"$schema": DIALECT, **body, "additionalProperties": False}
    if definitions:
        result["$defs"] = definitions
    return result


def convert(cls: type[Any], given: Mapping[str, Any], what: str, error: type[InterfaceError] = SettingsError) -> Any:
    """An instance of a dataclass from what a person wrote; `what` begins the message of an `error`."""
    hints = get_type_hints(cls, include_extras=True)
    names = [each.name for each in dataclasses.fields(cls)]
    for key in given:
        if key not in names:
            raise error(f"{what} {key!r} is unknown; there are: {', '.join(names) or 'none'}")
    for each in dataclasses.fields(cls):
        required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        if required and each.name not in given:
            raise error(f"{what} {each.name!r} is missing; wanted {_wanted(cls, each.name)}")
    return cls(**{key: _field(cls, key, value, hints[key], what, error) for key, value in given.items()})


def _field(cls: type[Any], key: str, value: Any, hint: Any, what: str, error: type[InterfaceError]) -> Any:
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as reason:
        raise error(f"{what} {key!r} is {value!r}; wanted {_wanted(cls, key)}") from reason


def _wanted(cls: type[Any], key: str) -> str:
    """What a field takes, in words made from its schema."""
    return _in_words(schema(cls)["properties"][key])


def _in_words(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        return "one of " + ", ".join(repr(choice) for choice in part["enum"])
    if "anyOf" in part:
        return " or ".join(_in_words(each) for each in part["anyOf"])
    words = str(part.get("type", "another type"))
    limits = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))
    bounds = [f"{sign} {part[limit]}" for limit, sign in limits if limit in part]
    return " ".join([words, " and ".join(bounds)]).strip()
