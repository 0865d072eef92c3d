"""Requests and their answers (MQTT 5 response topic and correlation data)."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from piio_schemas.configuration import Problem

LEASE = 15.0
LEASE_RENEWED = 5.0
"""Seconds a viewer's lease holds, and between its renewals while somebody looks."""

Name = Annotated[str, Meta(max_length=63)]


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every request may say: who sends it, by the sender's own claim."""

    by: Name | None = None


class ConfigurationRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change a board's configuration by a merge patch of points and displays, or replace it."""

    base_revision: Annotated[int, Meta(ge=0)] | None = None
    patch: dict[str, Any] | None = None
    config: dict[str, Any] | None = None


class PreviewRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Try an equation on some raw values."""

    equation: Annotated[str, Meta(max_length=4096)]
    x: Annotated[list[float], Meta(max_length=1000)] = field(default_factory=list)
    names: dict[str, float] = field(default_factory=dict)


class HistoryRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for a point's history between two Unix times, in at most 1,000 buckets."""

    point: str
    start: float | None = None
    end: float | None = None
    buckets: Annotated[int, Meta(ge=1, le=1000)] = 200


class RevisionsRequest(Request, frozen=True, forbid_unknown_fields=True):
    """Ask which revisions of a configuration there are."""


class RestoreRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make an old revision the newest."""

    revision: Annotated[int, Meta(ge=0, lt=2**53)]


class CopyRequest(Request, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Carry a configuration to another board."""

    to: str


class ForgetRequest(Request, frozen=True, forbid_unknown_fields=True):
    """Remove an offline board with its retained topics."""


class Failure(Struct, frozen=True, omit_defaults=True):
    """Why a request was not carried out; `column` counts from 1 in an equation."""

    message: str
    column: int | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """A request that failed."""

    ok: bool = False
    error: Failure


class ConfigurationAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a configuration request."""

    ok: bool
    revision: int | None = None
    warnings: list[str] | None = None
    errors: list[Problem] | None = None


class PreviewAnswer(Struct, frozen=True, kw_only=True):
    """The values of a tried equation; null where the result is not finite."""

    ok: bool = True
    values: list[float | None]


class HistoryAnswer(Struct, frozen=True, kw_only=True):
    """Buckets of time, least, greatest and mean value, and where nobody vouched for any."""

    ok: bool = True
    buckets: list[tuple[float, float, float, float]]
    gaps: Annotated[
        list[tuple[float, float]],
        Meta(description="From when to when the value was not good, as far as it shows between buckets; at most 200."),
    ] = field(default_factory=list)


class Revision(Struct, frozen=True, omit_defaults=True):
    """One revision of a configuration."""

    revision: int
    updated: str
    by: str
    changed: Annotated[
        list[str], Meta(description="The paths that differ from the revision before, said of the newest ones.")
    ] = field(default_factory=list)


class RevisionsAnswer(Struct, frozen=True, kw_only=True):
    """The revisions there are, newest first, as many as a message holds."""

    ok: bool = True
    revisions: list[Revision]


class Done(Struct, frozen=True):
    """A request that was carried out and has nothing more to say."""

    ok: bool = True


class ViewersLease(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody looks at this board for some seconds to come."""

    seconds: Annotated[float, Meta(gt=0, le=60)]


class Dashboard(Struct, frozen=True, kw_only=True):
    """A dashboard across boards."""

    label: str = ""
    displays: dict[str, Any] = field(default_factory=dict)
