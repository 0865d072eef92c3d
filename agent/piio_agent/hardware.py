"""The interfaces an agent was told of: those that could be made, and why the others could not."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from piio_agent.counting.settings import countable, offer
from piio_agent.interfaces.contract import Channel, Context, Interface
from piio_agent.interfaces.door import drivers, make, settings_schema
from piio_agent.reasons import reason
from piio_schemas.states import ChannelCapability, InterfaceCapability

log = logging.getLogger(__name__)


class InterfaceSettings(Struct, frozen=True):
    """One interface in the agent's file: its driver, and the driver's options."""

    driver: str
    options: dict[str, Any]


class Hardware:
    """Interfaces by name. One that cannot be made leaves the others alone; making one touches no hardware."""

    def __init__(self, wanted: Mapping[str, InterfaceSettings], context: Context, folders: Iterable[Path] = ()) -> None:
        self.interfaces: dict[str, Interface] = {}
        self.errors: dict[str, str] = {}
        """Why an interface could not be made, or is not usable."""
        self.channels: dict[str, Mapping[str, Channel]] = {}
        self.fastest: dict[str, float | None] = {}
        """Readings a second that an interface can give."""
        self._wanted = dict(wanted)
        known = drivers(folders)
        for name, settings in wanted.items():
            try:
                self.interfaces[name] = make(settings.driver, settings.options, context, known)
            except Exception as error:
                self._note(name, reason(error))

    @property
    def known(self) -> bool:
        """Whether every interface was looked at."""
        return all(name in self.channels or name in self.errors for name in self.interfaces)

    def note(self, name: str, channels: Mapping[str, Channel], error: str | None, fastest: float | None = None) -> None:
        """An interface was looked at: it has these channels, or is not usable for that reason."""
        if error:
            self._note(name, error)
        else:
            self.channels[name] = channels
            self.fastest[name] = fastest
            self.errors.pop(name, None)

    def missing(self, name: str) -> str | None:
        """Why there is no interface of this name; None if there is one."""
        if name in self.interfaces:
            return None
        known = ", ".join(self._wanted) or "none"
        return self.errors.get(name) or f"this board has no interface '{name}'; there are: {known}"

    def channel(self, interface: str, channel: str) -> Channel | None:
        """What a channel can do, where that is known."""
        return self.channels.get(interface, {}).get(channel)

    def capabilities(self) -> dict[str, InterfaceCapability]:
        """What there is, for people and for the bridge."""
        return {name: self._capability(name) for name in self._wanted}

    def _capability(self, name: str) -> InterfaceCapability:
        interface = self.interfaces.get(name)
        error = self.errors.get(name) or (None if name in self.channels else "it does not answer")
        known = self.channels.get(name, {})
        channels = {id: _channel(interface, channel) for id, channel in known.items()} if interface else {}
        return InterfaceCapability(
            driver=self._wanted[name].driver,
            title=type(interface).title if interface else self._wanted[name].driver,
            ok=error is None,
            error=error,
            channels=channels,
            settings=settings_schema(interface) if interface else {},
            counting=offer() if any(each.counts for each in channels.values()) else None,
            fastest=self.fastest.get(name),
        )

    def _note(self, name: str, why: str) -> None:
        if self.errors.get(name) != why:
            log.warning("%s is not usable: %s", name, why)
        self.errors[name] = why


def _channel(interface: Interface, channel: Channel) -> ChannelCapability:
    return ChannelCapability(
        label=channel.label,
        directions=list(channel.directions),
        kind=channel.kind,
        low=channel.low,
        high=channel.high,
        edges=channel.edges,
        counts=countable(interface, channel),
    )
