"""Whether what a configuration wants of lines that are counted can be in force together."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from piio_schemas.configuration import InputPoint, OutputPoint, Point, Problem
from piio_schemas.counting import properties
from piio_schemas.states import InterfaceCapability

Points = Mapping[str, Point]
Interfaces = Mapping[str, InterfaceCapability]


class _Found(NamedTuple):
    point: str
    problem: Problem
    gives_way: bool
    """Whether it is this point that cannot be in force, while the others can."""


def counting_problems(points: Points, interfaces: Interfaces) -> dict[str, list[Problem]]:
    """Return, by point, what contradicts that a line is counted: it is an input, with one and the same settings.

    Both sides of a contradiction are told of it.
    """
    found: dict[str, list[Problem]] = {}
    for each in _every(points, interfaces):
        found.setdefault(each.point, []).append(each.problem)
    return found


def counting_refusals(points: Points, interfaces: Interfaces) -> dict[str, str]:
    """Return, by point, why it is not in force: what is counted gives way to the line itself, or to who came first."""
    return {each.point: each.problem.message for each in _every(points, interfaces) if each.gives_way}


def _every(points: Points, interfaces: Interfaces) -> Iterator[_Found]:
    for id, interface in interfaces.items():
        for line, users in _lines(points, id, interface).items():
            yield from _roles(users, line)
            yield from _settings(users, line, interface)
            yield from _samples(users, line)


def _lines(points: Points, id: str, interface: InterfaceCapability) -> dict[str, dict[str, Point]]:
    """The points that look at each line of an interface that is counted; the line itself comes first."""
    lines: dict[str, dict[str, Point]] = {}
    counted = set()
    for name, point in points.items():
        if point.interface == id and point.channel is not None:
            found = interface.counted(point.channel)
            line = found[0] if found else point.channel
            users = lines.setdefault(line, {})
            lines[line] = {**users, name: point} if found else {name: point, **users}
            counted.update([line] if found else [])
    return {line: users for line, users in lines.items() if line in counted}


def _roles(users: Points, line: str) -> Iterator[_Found]:
    outputs = [name for name, point in users.items() if isinstance(point, OutputPoint) and point.channel == line]
    meters = [name for name, point in users.items() if point.channel != line]
    for name in outputs:
        why = f"channel '{line}' is counted by {_quoted(meters)}, so it cannot be an output"
        yield _Found(name, Problem(f"points.{name}.direction", why), False)
    for name in meters if outputs else ():
        why = f"channel '{line}' is the output {_quoted(outputs)}: only an input can be counted"
        yield _Found(name, Problem(f"points.{name}.channel", why), True)


def _settings(users: Points, line: str, interface: InterfaceCapability) -> Iterator[_Found]:
    inputs = {name: _of_the_line(point, interface) for name, point in users.items() if isinstance(point, InputPoint)}
    first = next(iter(inputs.values()), {})
    for name, settings in inputs.items():
        others = [other for other, each in inputs.items() if each != settings]
        if others:
            why = f"channel '{line}' has other settings at {_quoted(others)}: make those of the line equal"
            yield _Found(name, Problem(f"points.{name}.settings", why), settings != first)


def _samples(users: Points, line: str) -> Iterator[_Found]:
    for name, point in users.items():
        if point.channel != line and isinstance(point, InputPoint) and point.sample_rate:
            why = f"channel '{point.channel}' is not sampled: leave sample_rate out"
            yield _Found(name, Problem(f"points.{name}.sample_rate", why), True)


def _of_the_line(point: Point, interface: InterfaceCapability) -> dict[str, Any]:
    """What a point's settings say of the line itself, what they leave out included."""
    return {key: point.settings.get(key, _default(each)) for key, each in properties(interface.settings).items()}


def _default(schema: Any) -> Any:
    return schema.get("default") if isinstance(schema, dict) else None


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
