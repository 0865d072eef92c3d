"""The audit trail: who asked what of the world, when and from where, and what became of it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from piio_schemas.commands import Status
from piio_schemas.requests import Name, Request

What = Literal["set", "config", "restore", "copy", "forget", "stop", "fail_safe"]

Origin = Literal["page", "echoed", "plain", "request", "board"]
"""How it came: from a page, as a set with or without an echo, as a request, or from the board by itself."""

BROKER = "mqtt"
"""The address of what came over the broker: it does not tell where its clients are."""

MOST_ENTRIES = 1000
"""Entries in one answer; fewer where they would not fit into a message."""


class Acted(Struct, frozen=True, kw_only=True):
    """Whom the web app acts for: said before the set or request, which carries the same id."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="Of the set; of a request its correlation data.")]
    by: Annotated[str, Meta(max_length=63, description="Who is logged in.")]
    address: Annotated[str, Meta(max_length=64, description="Of the browser.")]


class AuditEntry(Struct, frozen=True, kw_only=True):
    """What somebody asked, or what befell an output, and its outcome."""

    number: Annotated[int, Meta(description="Counts up in the order in which outcomes became known.")]
    time: Annotated[float, Meta(description="Unix seconds of the bridge's clock at which it was asked.")]
    board: Annotated[str | None, Meta(description="Null: all boards.")]
    point: str | None = None
    what: What
    value: Annotated[str, Meta(description="What was asked, or what changed, in a line.")] = ""
    by: Annotated[str, Meta(description="The sender's claim unless verified; empty: nobody said.")] = ""
    verified: Annotated[bool, Meta(description="Whether the web app vouches for who it was.")] = False
    origin: Origin
    address: Annotated[str, Meta(description="Of the browser; `mqtt` for what came over the broker.")] = BROKER
    outcome: Status
    reason: str = ""
    id: str = ""


class AuditRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for the newest entries of a board, or of all; `before` goes on where the answer before ended."""

    start: float | None = None
    end: float | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST_ENTRIES)] = 100
    point: str | None = None
    person: Annotated[Name | None, Meta(description="Only what this person did.")] = None
    before: Annotated[int, Meta(ge=0, lt=2**53, description="Only entries of a lesser number.")] | None = None


class AuditAnswer(Struct, frozen=True, kw_only=True):
    """Entries, newest first."""

    ok: bool = True
    entries: list[AuditEntry]
    next: Annotated[int | None, Meta(description="`before` of the next request; null: there are no more.")] = None
    dropped: Annotated[int, Meta(description="Entries lost since the bridge started: the disk did not keep up.")] = 0
