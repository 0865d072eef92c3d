"""Sets, writes and their results: how the world is acted on."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from piio_schemas.beacons import Echo
from piio_schemas.documents import DocumentError, as_model, read_json
from piio_schemas.numbers import number_from_text, shown

DEFAULT_TTL = 2.0
"""Seconds a command may be old when it acts, unless it says otherwise."""

LEAST_TTL = 1.5
GREATEST_TTL = 5

GRACE = 1.0
"""Seconds beyond its ttl that the result of a command may take."""

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Ttl = Annotated[float, Meta(ge=LEAST_TTL, le=GREATEST_TTL, description="Seconds this may be old when it acts.")]
Left = Annotated[
    float, Meta(gt=0, le=GREATEST_TTL, description="Seconds that the echoed tick may be old when this acts.")
]
Pulse = Annotated[float, Meta(gt=0, le=3600, description="Seconds until it returns to the value before.")]
Status = Literal["done", "refused", "expired", "failed"]
Rule = Literal["min_on", "min_off", "rate", "interlock"]
Word = Literal["on", "off", "toggle"]

_WORDS: dict[str, Word] = {"on": "on", "off": "off", "true": "on", "false": "off", "toggle": "toggle"}


WORD = "^([Oo][Nn]|[Oo][Ff][Ff]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Tt][Oo][Gg][Gg][Ll][Ee])$"
"""The words of a set, in any case."""


class Set(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks of a point."""

    value: Annotated[
        float | bool | Annotated[str, Meta(extra_json_schema={"pattern": WORD})],
        Meta(description="A number, a boolean, or one of ON, OFF, true, false, toggle."),
    ]
    id: Id | None = None
    ttl: Ttl = DEFAULT_TTL
    pulse: Pulse | None = None
    beacon: Echo | None = None
    by: Annotated[str, Meta(max_length=63)] | None = None

    @property
    def wanted(self) -> float | Word:
        """The value as a number, or as the word that a digital point understands."""
        if isinstance(self.value, bool):
            return "on" if self.value else "off"
        if isinstance(self.value, str):
            return _WORDS[self.value.lower()]
        return float(self.value)


class SetError(ValueError):
    """A payload that is not a set; carries its id where one could be read."""

    def __init__(self, message: str, id: str | None = None) -> None:
        super().__init__(message)
        self.id = id


def read_set(payload: bytes) -> Set:
    """Read a plain number, a word or a JSON set; SetError says what it is instead."""
    text = payload.strip()
    if text.startswith(b"{"):
        return _read_json_set(text)
    word = text.decode("ascii", "replace").lower()
    if word in _WORDS:
        return Set(value=word)
    try:
        return Set(value=number_from_text(text))
    except ValueError as error:
        raise SetError(f"{shown(payload)} is not a number, ON, OFF, toggle or a JSON set") from error


def _read_json_set(text: bytes) -> Set:
    id = None
    try:
        document = read_json(text)
        id = _id_of(document)
        command = as_model(document, Set)
    except DocumentError as error:
        raise SetError(str(error), id) from error
    if isinstance(command.value, str) and command.value.lower() not in _WORDS:
        raise SetError(f"value: '{command.value[:40]}' is not one of ON, OFF, true, false, toggle", id)
    return command


def _id_of(document: Any) -> str | None:
    id = document.get("id")
    return id if isinstance(id, str) and 0 < len(id) <= 64 else None


class Write(Struct, frozen=True, kw_only=True):
    """What the bridge sends to a channel."""

    id: Id
    point: str
    revision: int
    value: Annotated[float, Meta(description="Raw.")]
    ttl: Left = DEFAULT_TTL
    pulse: Pulse | None = None
    epoch: int
    beacon: Echo


class WriteResult(Struct, frozen=True, kw_only=True):
    """What became of a write."""

    id: str
    status: Status
    reason: str = ""
    read: Annotated[float | None, Meta(description="Raw that the pin reads back.")] = None
    rule: Annotated[Rule | None, Meta(description="The policy that refused it.")] = None


class SetResult(Struct, frozen=True, kw_only=True):
    """What became of a set, told to everybody who watches the point."""

    id: str
    status: Status
    reason: str = ""
    value: float | None = None
    raw: float | None = None
    by: str | None = None

    @property
    def done(self) -> bool:
        """Whether the pin took the value."""
        return self.status == "done"
