"""The configuration of one board: points, displays, and what makes them consistent in themselves."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from piio_schemas.documents import DocumentError, as_model
from piio_schemas.identifiers import IdentifierError, check_channel, check_interface, check_point
from piio_schemas.policies import contradictions

Seconds = Annotated[float, Meta(gt=0, le=86400)]
Period = Annotated[float, Meta(ge=0.001, le=86400, description="Seconds between two readings.")]
SampleRate = Annotated[float, Meta(ge=1, le=100_000, description="Samples a second that go into blocks.")]
Label = Annotated[str, Meta(max_length=200)]
EquationText = Annotated[str, Meta(min_length=1, max_length=512)]

_WANTED = {
    "direction": "input or output",
    "on_start": "off, on, last or a raw number",
    "on_lost": "off, on, hold or a raw number",
}
"""What a field with a choice takes, in words."""


class Interlock(Struct, frozen=True, forbid_unknown_fields=True):
    """At most one output of a group is on."""

    group: Annotated[
        str, Meta(min_length=1, max_length=63, description="Its name; outputs of one board that share it are a group.")
    ]
    dead_time: Annotated[
        float,
        Meta(ge=0, le=3600, description="Seconds between one off and the next on; of two outputs the longer holds."),
    ] = 0


class InputPoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="direction", tag="input"):
    """A quantity that is read from a channel, or computed from other points where interface and channel are null."""

    interface: str | None = None
    channel: str | None = None
    label: Label = ""
    equation: EquationText | None = None
    unit: Annotated[str, Meta(max_length=32)] = ""
    settings: dict[str, Any] = field(default_factory=dict)
    period: Period = 0.1
    idle_period: Period = 10.0
    deadband: Annotated[float, Meta(ge=0, description="Raw units a reading must differ by to be published.")] = 0.0
    history: Annotated[bool, Meta(description="Whether values are kept.")] = True
    events: Annotated[bool, Meta(description="Whether each edge is published with its kernel timestamp.")] = False
    sample_rate: SampleRate | None = None

    @property
    def computed(self) -> bool:
        """Whether the point has no channel of its own."""
        return self.interface is None


class OutputPoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="direction", tag="output"):
    """A quantity that can be set: a channel, what turns its raw into the value and back, and its policies."""

    interface: str
    channel: str
    label: Label = ""
    equation: EquationText | None = None
    inverse: EquationText | None = None
    unit: Annotated[str, Meta(max_length=32)] = ""
    settings: dict[str, Any] = field(default_factory=dict)
    on_start: Annotated[
        Literal["off", "on", "last"] | float,
        Meta(description="What it is when the agent starts: off, on, last or a raw."),
    ] = "off"
    on_lost: Annotated[
        Literal["off", "on", "hold"] | float,
        Meta(description="What it becomes when the lease runs out: off, on, hold or a raw."),
    ] = "off"
    lease: Annotated[float, Meta(ge=2, le=86400, description="Seconds without a sign of the bridge until on_lost.")] = (
        10.0
    )
    max_on: Annotated[Seconds | None, Meta(description="Seconds until it is switched off by itself.")] = None
    min_on: Annotated[
        float, Meta(ge=0, le=86400, description="Seconds it stays on at least: a set before that is refused.")
    ] = 0.0
    min_off: Annotated[
        float, Meta(ge=0, le=86400, description="Seconds it stays off at least: a set before that is refused.")
    ] = 0.0
    rate: Annotated[
        Annotated[float, Meta(ge=0.01, le=6000)] | None,
        Meta(description="Times a minute that it may be switched, on and off counted: a set beyond that is refused."),
    ] = None
    interlock: Annotated[
        Interlock | None,
        Meta(description="At most one output of a group is on: a set that would make it two is refused."),
    ] = None


Point = InputPoint | OutputPoint


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a display stands on its page, in columns and rows of the grid (12 columns)."""

    x: Annotated[int, Meta(ge=0, le=11)] = 0
    y: Annotated[int, Meta(ge=0, le=999)] = 0
    w: Annotated[int, Meta(ge=1, le=12)] = 3
    h: Annotated[int, Meta(ge=1, le=12)] = 2


class Display(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A widget bound to a point."""

    type: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,62}$")]
    point: str | None = None
    label: Label = ""
    options: dict[str, Any] = field(default_factory=dict)
    place: Place = Place()


class Configuration(Struct, frozen=True, kw_only=True):
    """The desired state of one board, as the bridge publishes it."""

    store: str = ""
    revision: Annotated[int, Meta(ge=0)] = 0
    epoch: Annotated[int, Meta(ge=0)] = 0
    updated: str = ""
    by: str = ""
    points: dict[str, Point] = field(default_factory=dict)
    displays: dict[str, Display] = field(default_factory=dict)


class Problem(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a configuration: where, and what was got and wanted."""

    path: str
    message: str
    column: Annotated[int | None, Meta(description="Where in an equation, from 1.")] = None


class ConfigurationError(ValueError):
    """A configuration that contradicts itself or is not one; carries every problem found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


def read_configuration(document: Any) -> Configuration:
    """Convert parsed JSON into a configuration that is well formed; ConfigurationError names every part that is not."""
    if not isinstance(document, dict):
        raise ConfigurationError([Problem("", "Expected an object")])
    problems: list[Problem] = []
    points = _each(document.get("points", {}), "points", _read_point, problems)
    displays = _each(document.get("displays", {}), "displays", _read_display, problems)
    problems += _conflicts(points) + _contradictions(points)
    try:
        known = {key: value for key, value in document.items() if key not in ("points", "displays")}
        unknown = sorted(known.keys() - set(Configuration.__struct_fields__))
        problems += [Problem(key, "unknown field") for key in unknown]
        envelope = as_model(known, Configuration)
    except DocumentError as error:
        problems.append(Problem(error.path, error.message))
    if problems:
        raise ConfigurationError(problems)
    return msgspec.structs.replace(envelope, points=points, displays=displays)


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396) and return the result; neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _each(documents: Any, path: str, read: Any, problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not isinstance(documents, dict):
        problems.append(Problem(path, f"Expected an object, got {type(documents).__name__}"))
        return found
    for name, document in documents.items():
        try:
            found[name] = read(name, document, f"{path}.{name}")
        except (IdentifierError, DocumentError) as error:
            where = error.path if isinstance(error, DocumentError) else f"{path}.{name}"
            problems.append(Problem(where, getattr(error, "message", str(error))))
    return found


def _read_point(name: str, document: Any, path: str) -> Point:
    check_point(name)
    if isinstance(document, dict):
        document = {"direction": "input", **document}
    try:
        point: Point = as_model(document, Point, path)  # type: ignore[arg-type]  # a union is a model too
    except DocumentError as error:
        wanted = _WANTED.get(error.path.removeprefix(f"{path}."))
        raise DocumentError(f"{error.message}: wanted {wanted}", error.path) if wanted else error from error
    if point.interface is not None:
        _at(f"{path}.interface", check_interface, point.interface)
    if point.channel is not None:
        _at(f"{path}.channel", check_channel, point.channel)
    if (point.interface is None) != (point.channel is None):
        raise DocumentError("interface and channel go together: give both, or neither for a computed point", path)
    if isinstance(point, OutputPoint) or not point.computed:
        return point
    if point.equation is None:
        raise DocumentError("a computed point needs an equation over other points", f"{path}.equation")
    if point.sample_rate is not None:
        raise DocumentError("a computed point has no channel to sample: leave sample_rate out", f"{path}.sample_rate")
    return point


def _read_display(name: str, document: Any, path: str) -> Display:
    check_interface(name)
    return as_model(document, Display, path)


def _at(path: str, check: Any, text: str) -> None:
    try:
        check(text)
    except IdentifierError as error:
        raise DocumentError(str(error), path) from error


def _conflicts(points: dict[str, Point]) -> list[Problem]:
    """Return what two points on one channel cannot agree on."""
    problems = []
    first: dict[tuple[str | None, str | None], str] = {}
    for name, point in points.items():
        if point.interface is None:
            continue
        other_name = first.setdefault((point.interface, point.channel), name)
        other = points[other_name]
        if other is point:
            continue
        place = f"channel {point.channel} of {point.interface}"
        if isinstance(point, OutputPoint) or isinstance(other, OutputPoint):
            problems.append(Problem(f"points.{name}.channel", f"{place} is already in use by '{other_name}'"))
        elif point.settings != other.settings:
            problems.append(
                Problem(f"points.{name}.settings", f"'{other_name}' reads {place} with other settings: make them equal")
            )
    return problems


def _contradictions(points: dict[str, Point]) -> list[Problem]:
    """Return what is wrong among the policies of each output, all of it."""
    return [
        Problem(f"points.{name}.{field}", message)
        for name, point in points.items()
        if isinstance(point, OutputPoint)
        for field, message in contradictions(point)
    ]
