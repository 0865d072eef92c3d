"""The interfaces that an agent's file names: usable, or why not."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from piio.checkup import Finding
from piio_agent.hardware import InterfaceSettings
from piio_agent.interfaces.contract import Channel, Context, Interface
from piio_agent.interfaces.door import Drivers, drivers, make, settings_of
from piio_agent.interfaces.errors import NoReading
from piio_agent.reasons import reason
from piio_agent.settings import SettingsProblem, identity, read_settings

PART = "agent"


def findings(config: Path, folders: tuple[Path, ...]) -> Iterable[Finding]:
    """Read the file as the agent does, and look at each interface without taking a line."""
    try:
        settings = read_settings(config)
        if settings.url:
            who = identity(settings)
            yield Finding(PART, True, f"{config}: {who.name} at {who.address}")
    except SettingsProblem as error:
        yield Finding(PART, False, str(error))
        return
    if not settings.interfaces:
        yield Finding(PART, None, f"{config} names no interfaces: the agent takes the GPIO chip and an MCP3008, if any")
    known = drivers(folders)
    for name, interface in settings.interfaces.items():
        yield _interface(f"{name} ({interface.driver})", interface, known)


def _interface(name: str, settings: InterfaceSettings, known: Drivers) -> Finding:
    try:
        with make(settings.driver, settings.options, Context(), known) as interface:
            channels = dict(interface.channels())
            tried = _try_one(interface, channels)
    # A driver may be anybody's.
    except Exception as error:
        return Finding(PART, False, f"{name}: {reason(error)}")
    return Finding(PART, True, f"{name}: {len(channels)} channel{'' if len(channels) == 1 else 's'}{tried}")


def _try_one(interface: Interface, channels: Mapping[str, Channel]) -> str:
    """Read one input where there is nothing but analog inputs: a converter answers or not, and nobody is disturbed."""
    if not channels or any(each.directions != ("input",) or each.kind != "analog" for each in channels.values()):
        return ""
    first = next(iter(channels))
    interface.open(first, "input", settings_of(interface, {}, first))
    try:
        return f", {first} reads {interface.read(first):g}"
    except NoReading as nothing:
        return f", {first}: {nothing}"
