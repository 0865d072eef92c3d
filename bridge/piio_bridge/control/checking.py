"""Whether a configuration can be in force on a board: its equations, and what the board's capabilities offer."""

from collections import Counter
from collections.abc import Collection

import jsonschema

from piio_bridge.control.board import range_of
from piio_bridge.equations import CircleError, Equation, EquationError, InverseError, evaluation_order, inverse_of
from piio_schemas.configuration import Configuration, InputPoint, OutputPoint, Point, Problem
from piio_schemas.counted_lines import counting_problems
from piio_schemas.rates import excessive_rates
from piio_schemas.states import Capabilities, ChannelCapability


def check(
    configuration: Configuration, capabilities: Capabilities | None, touched: Collection[str]
) -> tuple[list[Problem], list[str]]:
    """Return what is wrong, and warnings; what capabilities forbid is only a warning for points not touched."""
    problems = _check_equations(configuration)
    warnings = _check_displays(configuration) + _check_groups(configuration)
    interfaces = capabilities.interfaces if capabilities else {}
    rates = excessive_rates(configuration.points, interfaces)
    counting = counting_problems(configuration.points, interfaces)
    for name, point in configuration.points.items():
        channel, found = _check_channel(name, point, capabilities)
        found += rates.get(name, []) + counting.get(name, [])
        if isinstance(point, OutputPoint) and channel is not None:
            found += _check_inverse(name, point, channel)
        if name in touched:
            problems += [each for each in found if each not in problems]
        else:
            warnings += [f"{problem.path}: {problem.message}" for problem in found]
    return problems, warnings


def _check_equations(configuration: Configuration) -> list[Problem]:
    problems: list[Problem] = []
    dependencies: dict[str, frozenset[str]] = {}
    for name, point in configuration.points.items():
        if point.equation is None:
            continue
        variables = {"x"} if not (isinstance(point, InputPoint) and point.computed) else set()
        if isinstance(point, InputPoint):
            variables |= configuration.points.keys() - {name}
        try:
            dependencies[name] = Equation(point.equation, variables).names - {"x"}
        except EquationError as error:
            problems.append(_problem(f"points.{name}.equation", error))
    try:
        evaluation_order(dependencies)
    except CircleError as error:
        problems.append(_problem(f"points.{error.circle[0]}.equation", error))
    return problems


def _check_inverse(name: str, point: OutputPoint, channel: ChannelCapability) -> list[Problem]:
    low, high, digital = range_of(channel)
    try:
        inverse_of(point.equation, point.inverse, low, high, digital=digital)
    except InverseError as error:
        return [_problem(f"points.{name}.inverse", error)]
    except EquationError as error:
        return [_problem(f"points.{name}.equation", error)]
    return []


def _check_channel(
    name: str, point: Point, capabilities: Capabilities | None
) -> tuple[ChannelCapability | None, list[Problem]]:
    if point.interface is None or point.channel is None:
        return None, []
    path = f"points.{name}"
    interfaces = capabilities.interfaces if capabilities else {}
    interface = interfaces.get(point.interface)
    if interface is None:
        has = ", ".join(sorted(interfaces)) or "none"
        return None, [Problem(f"{path}.interface", f"the board has no interface '{point.interface}'; it has: {has}")]
    if not interface.ok:
        why = interface.error or "no reason given"
        return None, [Problem(f"{path}.interface", f"'{point.interface}' cannot be used on the board: {why}")]
    channel = interface.channel(point.channel)
    if channel is None:
        has = ", ".join(list(interface.channels)[:40]) or "none"
        return None, [
            Problem(f"{path}.channel", f"'{point.interface}' has no channel '{point.channel}'; it has: {has}")
        ]
    problems = []
    direction = "output" if isinstance(point, OutputPoint) else "input"
    if direction not in channel.directions:
        can = " or ".join(channel.directions)
        problems.append(Problem(f"{path}.direction", f"channel '{point.channel}' cannot be an {direction}, only {can}"))
    problems += _check_settings(path, point, interface.settings_of(point.channel))
    return channel, problems + _check_raws(path, point, channel)


def _check_settings(path: str, point: Point, schema: dict[str, object]) -> list[Problem]:
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError:
        return []  # a stranger's driver describes its settings wrongly: the agent itself will judge them
    errors = jsonschema.Draft202012Validator(schema).iter_errors(point.settings)
    return [Problem(".".join([path, "settings", *map(str, error.absolute_path)]), error.message) for error in errors]


def _check_raws(path: str, point: Point, channel: ChannelCapability) -> list[Problem]:
    """Check that the raws which policies drive are ones that the channel takes."""
    if not isinstance(point, OutputPoint):
        return []
    low, high, digital = range_of(channel)
    problems = []
    for field in ("on_start", "on_lost"):
        raw = getattr(point, field)
        if isinstance(raw, str):
            continue
        if not low <= raw <= high or (digital and raw not in (0, 1)):
            wanted = "0 or 1" if digital else f"{low:g} to {high:g}"
            problems.append(Problem(f"{path}.{field}", f"the channel takes {wanted}, got {raw:g}"))
    return problems


def _check_displays(configuration: Configuration) -> list[str]:
    return [
        f"displays.{id}.point: there is no point '{display.point}'"
        for id, display in configuration.displays.items()
        if display.point is not None and display.point not in configuration.points
    ]


def _check_groups(configuration: Configuration) -> list[str]:
    """Warn of groups of one, which protect nothing: their name may be misspelt."""
    outputs = {name: point for name, point in configuration.points.items() if isinstance(point, OutputPoint)}
    sizes = Counter(point.interlock.group for point in outputs.values() if point.interlock)
    return [
        f"points.{name}.interlock.group: no other output is in the group '{point.interlock.group}'"
        for name, point in outputs.items()
        if point.interlock and sizes[point.interlock.group] == 1
    ]


def _problem(path: str, error: EquationError) -> Problem:
    return Problem(path, str(error), error.column)
