"""Whether what a configuration wants of lines that are counted can be in force together."""

from collections.abc import Iterable, Mapping
from typing import Any

from piio_schemas.configuration import InputPoint, OutputPoint, Point, Problem
from piio_schemas.counting import properties
from piio_schemas.states import InterfaceCapability

Points = Mapping[str, Point]


def counting_problems(points: Points, interfaces: Mapping[str, InterfaceCapability]) -> dict[str, list[Problem]]:
    """Return, by point, what contradicts that a line is counted: it is an input, with one and the same settings.

    Both sides of a contradiction are told of it.
    """
    found: dict[str, list[Problem]] = {}
    for id, interface in interfaces.items():
        for line, users in _lines(points, id, interface).items():
            for name, problem in _problems(users, line, interface):
                found.setdefault(name, []).append(problem)
    return found


def _lines(points: Points, id: str, interface: InterfaceCapability) -> dict[str, dict[str, Point]]:
    """The points that look at each line of an interface that is counted."""
    lines: dict[str, dict[str, Point]] = {}
    counted = set()
    for name, point in points.items():
        if point.interface == id and point.channel is not None:
            found = interface.counted(point.channel)
            line = found[0] if found else point.channel
            lines.setdefault(line, {})[name] = point
            counted.update([line] if found else [])
    return {line: users for line, users in lines.items() if line in counted}


def _problems(users: Points, line: str, interface: InterfaceCapability) -> Iterable[tuple[str, Problem]]:
    meters = {name: point for name, point in users.items() if point.channel != line}
    for name, point in users.items():
        if isinstance(point, OutputPoint):
            if name not in meters:
                why = f"channel '{line}' is counted by {_quoted(meters)}, so it cannot be an output"
                yield name, Problem(f"points.{name}.direction", why)
            continue
        outputs = [other for other, each in users.items() if isinstance(each, OutputPoint) and other not in meters]
        if outputs:
            why = f"channel '{line}' is the output {_quoted(outputs)}: only an input can be counted"
            yield name, Problem(f"points.{name}.channel", why)
        settings = _of_the_line(point, interface)
        others = [other for other, each in users.items() if _of_the_line(each, interface) != settings]
        if others and not outputs:
            why = f"channel '{line}' has other settings at {_quoted(others)}: make those of the line equal"
            yield name, Problem(f"points.{name}.settings", why)
        if name in meters and isinstance(point, InputPoint) and point.sample_rate:
            why = f"channel '{point.channel}' is not sampled: leave sample_rate out"
            yield name, Problem(f"points.{name}.sample_rate", why)


def _of_the_line(point: Point, interface: InterfaceCapability) -> dict[str, Any]:
    """What a point's settings say of the line itself, what they leave out included."""
    return {key: point.settings.get(key, _default(each)) for key, each in properties(interface.settings).items()}


def _default(schema: Any) -> Any:
    return schema.get("default") if isinstance(schema, dict) else None


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
