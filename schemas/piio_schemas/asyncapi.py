"""The contract as an AsyncAPI 3.0 document, made from the topic table and the models. No I/O."""

from typing import Any

from piio_schemas import audit, jsonschemas, requests, topics
from piio_schemas.blocks import LARGEST_BLOCK
from piio_schemas.examples import EXAMPLES
from piio_schemas.roles import Role
from piio_schemas.topics import PREFIX, TABLE, Topic

VERSION = "1.0.0"
"""Of the contract, not of the software."""

BINDING = "0.2.0"

PARAMETERS = {
    "agent": "The name of a board's agent",
    "interface": "A piece of hardware of the board, such as gpio",
    "channel": "One input or output of an interface, such as 17",
    "point": "A quantity that a user named",
    "user": "Who connects: the name that the broker knows",
    "rest": "Chosen by who asks, so that answers come to the right one",
    "instance": "Which web app",
    "id": "Which dashboard",
}

REPLIES: dict[str, type] = {
    "configSet": requests.ConfigurationAnswer,
    "requestHistory": requests.HistoryAnswer,
    "requestRevisions": requests.RevisionsAnswer,
    "requestRestore": requests.ConfigurationAnswer,
    "requestCopy": requests.ConfigurationAnswer,
    "requestForget": requests.Done,
    "requestAudit": audit.AuditAnswer,
    "requestAuditAll": audit.AuditAnswer,
    "requestPreview": requests.PreviewAnswer,
}
"""What a request is answered, where it is not refused."""

PLAIN: dict[str, tuple[str, str, dict[str, Any]]] = {
    topics.NUMBER: (
        "Number",
        "text/plain",
        {
            "type": "string",
            "pattern": jsonschemas.NUMBER_PATTERN,
            "description": "A plain number, as the shortest text that reads back to the same float.",
            "examples": ["1", "0.5"],
        },
    ),
    topics.TEXT: ("Text", "text/plain", {"type": "string", "minLength": 1, "examples": ["online", "good"]}),
    topics.BLOCK: (
        "Block",
        "application/octet-stream",
        {
            "type": "string",
            "format": "binary",
            "maxLength": LARGEST_BLOCK,
            "description": (
                "Little-endian `<2sBBQIHHI`: b'PB', version 1, sample type (0 u16, 1 i16, 2 i32, 3 f32, 4 f64), the "
                "first sample's Unix ns, spacing in ns, count, flags, samples lost before; then the samples. With bit "
                "0 of the flags set they are edges: each an i32, the ns since the edge before times two plus the level "
                "after it; the first has 0 ns, the spacing is 0, and the lost ones include those within the block."
            ),
        },
    ),
}
"""Messages that are not JSON: name, content type, schema."""


def asyncapi() -> dict[str, Any]:
    """Return the whole document."""
    rows = channels_by_id()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:piio:contract",
        "info": {
            "title": "PiIO",
            "version": VERSION,
            "description": (
                "See and drive the pins of many boards over one MQTT broker. Each channel has a send and a receive "
                "operation; `x-roles` says which roles may. The bridge may do everything. Made from the models and "
                "the topic table in `piio_schemas` by `schemas/write.py`: change those, not this."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "localhost:1883",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "Any MQTT 5 broker with retained messages and wildcards",
                "security": [{"$ref": "#/components/securitySchemes/password"}],
            }
        },
        "channels": {id: _channel(row) for id, row in rows.items()},
        "operations": {name: each for id, row in rows.items() for name, each in _operations(id, row).items()},
        "components": {
            "messages": _messages(),
            "schemas": _schemas(),
            "securitySchemes": {"password": {"type": "userPassword"}},
        },
        "x-roles": _roles(rows),
    }


def channels_by_id() -> dict[str, Topic]:
    """Return the topic table by the names its rows have in AsyncAPI: `VALUE_SET` is `valueSet`."""
    names = {id(value): name for name, value in vars(topics).items() if isinstance(value, Topic)}
    return {_camel(names[id(row)]): row for row in TABLE}


def _camel(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(word.capitalize() for word in others)


def _channel(row: Topic) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": row.pattern.replace("{prefix}", PREFIX),
        "summary": row.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(row)},
        "x-roles": {"write": _names(row.write), "read": _names(row.read)},
    }
    if row.levels:
        channel["parameters"] = {level: {"description": PARAMETERS[level]} for level in row.levels}
    return channel


def _operations(id: str, row: Topic) -> dict[str, Any]:
    """Both directions; the bridge, which may do all, counts where the table leaves a side to nobody else."""
    name = id[0].upper() + id[1:]
    binding = {"mqtt": {"qos": row.qos, "retain": row.retained, "bindingVersion": BINDING}}
    common = {"channel": {"$ref": f"#/channels/{id}"}, "summary": row.summary}
    send = {"action": "send", **common, "bindings": binding, "x-roles": _with_bridge(row.write)}
    if id in REPLIES:
        messages = [REPLIES[id].__name__, requests.Answer.__name__]
        send["reply"] = {
            "channel": {"$ref": "#/channels/reply"},
            "messages": [{"$ref": f"#/channels/reply/messages/{message}"} for message in messages],
        }
    receive = {
        "action": "receive", **common,
        "bindings": {"mqtt": {"qos": row.qos, "bindingVersion": BINDING}}, "x-roles": _with_bridge(row.read),
    }  # fmt: skip
    return {f"send{name}": send, f"receive{name}": receive}


def _message_names(row: Topic) -> list[str]:
    if row.document == topics.ANSWER:
        return [model.__name__ for model in jsonschemas.ANSWERS]
    if row.document == topics.READINGS:
        return ["Readings"]
    if isinstance(row.document, str):
        return [PLAIN[row.document][0]]
    return ["HomeAssistantDevice" if row.document is dict else row.document.__name__]


def _messages() -> dict[str, Any]:
    messages: dict[str, Any] = {
        name: {"name": name, "contentType": content, "payload": {"$ref": f"#/components/schemas/{name}"}}
        for name, content, _ in PLAIN.values()
    }
    for name in [*(model.__name__ for model in jsonschemas.models()), "Readings", "HomeAssistantDevice"]:
        messages[name] = {
            "name": name,
            "contentType": "application/json",
            "payload": {"$ref": f"#/components/schemas/{name}"},
        }
        # An example of a message is an object, as the specification has it.
        shown = [{"payload": example} for example in EXAMPLES.get(name, []) if isinstance(example, dict)]
        if shown:
            messages[name]["examples"] = shown
    return dict(sorted(messages.items()))


def _schemas() -> dict[str, Any]:
    schemas = jsonschemas.components("#/components/schemas/{name}")
    schemas |= {name: schema for name, _, schema in PLAIN.values()}
    schemas |= {"Readings": jsonschemas.READINGS, "HomeAssistantDevice": jsonschemas.HOME_ASSISTANT_DEVICE}
    return {name: _draft_7(schema) for name, schema in sorted(schemas.items())}


def _draft_7(schema: Any) -> Any:
    """Return a schema with tuples as AsyncAPI's own dialect writes them."""
    if isinstance(schema, list):
        return [_draft_7(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    older = {key: _draft_7(value) for key, value in schema.items()}
    if "prefixItems" in older:
        older["additionalItems"] = older.pop("items", True)
        older["items"] = older.pop("prefixItems")
    return older


def _roles(rows: dict[str, Topic]) -> dict[str, Any]:
    return {
        role.value: {
            "write": [id for id, row in rows.items() if role is Role.BRIDGE or role in row.write],
            "read": [id for id, row in rows.items() if role is Role.BRIDGE or role in row.read],
        }
        for role in Role
    }


def _with_bridge(roles: frozenset[Role]) -> list[str]:
    return _names(roles | {Role.BRIDGE})


def _names(roles: frozenset[Role]) -> list[str]:
    return [role.value for role in Role if role in roles]
