"""Who an agent is, where its broker is and what hardware it has: its own file, `agent.toml`."""

import os
import platform
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from piio.address import Address, read_address
from piio.errors import AddressError, PiioError
from piio_agent.hardware import InterfaceSettings
from piio_schemas.identifiers import IdentifierError, check_identity, check_interface
from piio_schemas.topics import PREFIX

_KEYS = ("name", "url", "password_file", "ca_file", "interfaces")

SIMULATED = {
    "gpio": InterfaceSettings("simulated", {"part": "gpio"}),
    "adc": InterfaceSettings("simulated", {"part": "adc"}),
}
"""What `--simulate` gives."""


class SettingsProblem(PiioError, ValueError):
    """The agent's file, or what was said on the command line, cannot be used; names the key and the remedy."""


class Settings(Struct, frozen=True):
    """An agent's own file; None: not said there."""

    name: str | None = None
    url: str | None = None
    password_file: Path | None = None
    ca_file: str | None = None
    interfaces: dict[str, InterfaceSettings] = field(default_factory=dict)


class Identity(Struct, frozen=True):
    """Everything an agent has to know before it starts."""

    name: str
    address: Address
    interfaces: dict[str, InterfaceSettings]
    folders: tuple[Path, ...] = ()
    """Where more drivers are looked for."""
    state: Path | None = None
    """Where it keeps its files; None: nowhere."""
    prefix: str = PREFIX

    @property
    def folder(self) -> Path | None:
        """Where this very agent keeps its files."""
        return self.state / "agents" / self.name if self.state else None


def read_settings(path: Path) -> Settings:
    """Read an agent's file strictly; SettingsProblem names the line or the key, and the remedy."""
    try:
        document = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsProblem(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsProblem(f"{path} is not TOML: {error}") from error
    for key in document:
        if key not in _KEYS:
            raise SettingsProblem(f"{path}: the key '{key}' is unknown; there are: {', '.join(_KEYS)}")
    for key in ("name", "url", "password_file", "ca_file"):
        if not isinstance(document.get(key, ""), str):
            raise SettingsProblem(f'{path}: {key} is {document[key]!r}: write it in quotes, {key} = "…"')
    password_file = document.get("password_file")
    return Settings(
        name=document.get("name"),
        url=document.get("url"),
        # Beside the file that names it, wherever the agent is started from.
        password_file=path.parent / password_file if password_file else None,
        ca_file=str(path.parent / document["ca_file"]) if "ca_file" in document else None,
        interfaces=_interfaces(document.get("interfaces", {}), path),
    )


def identity(
    settings: Settings,
    *,
    name: str | None = None,
    url: str | None = None,
    password_file: Path | None = None,
    simulate: bool = False,
    folders: tuple[Path, ...] = (),
    state: Path | None = None,
    prefix: str = PREFIX,
) -> Identity:
    """Join what the command line says (it wins), the file and the environment; SettingsProblem says what is missing."""
    where = url or settings.url or os.environ.get("PIIO_URL")
    if not where:
        raise SettingsProblem(
            "no broker is named: give --url mqtt://user:password@host, or url in agent.toml, or PIIO_URL"
        )
    try:
        address = read_address(where, password_file or settings.password_file, settings.ca_file)
    except AddressError as error:
        raise SettingsProblem(str(error)) from error
    # Without a name of its own an agent is called what the broker knows it as: no other topics are open to it.
    called = name or settings.name or address.user or platform.node().split(".")[0].lower()
    try:
        check_identity(called)
    except IdentifierError as error:
        raise SettingsProblem(f"name: {error}: give --name, or name in agent.toml") from error
    interfaces = SIMULATED if simulate else settings.interfaces or found_on_board()
    if not interfaces:
        raise SettingsProblem(
            "this machine has no hardware we know: try --simulate, or name interfaces in --config agent.toml"
        )
    return Identity(called, address, interfaces, folders, state, prefix)


def found_on_board() -> dict[str, InterfaceSettings]:
    """Return interfaces for what this machine has: GPIO lines, and an MCP3008 on the first SPI device."""
    found = {}
    if any(Path("/dev").glob("gpiochip*")):
        found["gpio"] = InterfaceSettings("gpiod", {})
    if Path("/dev/spidev0.0").exists():
        found["adc"] = InterfaceSettings("mcp3008", {})
    return found


def _interfaces(tables: Any, path: Path) -> dict[str, InterfaceSettings]:
    if not isinstance(tables, dict):
        raise SettingsProblem(f"{path}: interfaces has to be tables: [interfaces.gpio]")
    return {name: _interface(name, table, path) for name, table in tables.items()}


def _interface(name: str, table: Any, path: Path) -> InterfaceSettings:
    where = f"{path}: interfaces.{name}"
    try:
        check_interface(name)
    except IdentifierError as error:
        raise SettingsProblem(f"{where}: {error}") from error
    if not isinstance(table, dict) or not isinstance(table.get("driver"), str):
        raise SettingsProblem(f'{where}: its driver is missing: write driver = "gpiod" below [interfaces.{name}]')
    return InterfaceSettings(table["driver"], {key: value for key, value in table.items() if key != "driver"})
