"""The one door through which every driver comes in, ours and a stranger's: an entry point or a file in a folder."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from piio_agent.interfaces.contract import Context, Interface
from piio_agent.interfaces.errors import DriverBroken, DriverUnknown, InterfaceError, OptionsError
from piio_agent.interfaces.form import convert, schema

GROUP = "piio.interfaces"

log = logging.getLogger(__name__)


class Drivers(Mapping[str, type[Interface]]):
    """The drivers there are, by name; one that came by entry point is imported when it is asked for.

    `problems` says which files could not be loaded, and why: a broken file never keeps the others out. Asking for a
    driver that there is not is a DriverUnknown, asking for one that cannot be imported a DriverBroken.
    """

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._found: dict[str, EntryPoint | type[Interface]] = {
            point.name: point for point in entry_points(group=GROUP)
        }
        self.problems: list[InterfaceError] = []
        for folder in folders:
            self._look_into(folder)

    def _look_into(self, folder: Path) -> None:
        if not folder.is_dir():
            self._report(DriverBroken(str(folder), NotADirectoryError("there is no such folder")))
            return
        for path in sorted(folder.glob("*.py")):
            try:
                found = _drivers_in(_import_file(path))
            # A stranger's file may do anything while it is imported, `sys.exit()` included.
            except (Exception, SystemExit) as reason:
                self._report(DriverBroken(str(path), reason))
                continue
            for cls in found:
                if cls.name in self._found:
                    log.info("%s: the driver %s takes the place of the one there was", path, cls.name)
                self._found[cls.name] = cls

    def _report(self, problem: InterfaceError) -> None:
        log.warning("%s", problem)
        self.problems.append(problem)

    def __getitem__(self, driver: str) -> type[Interface]:
        found = self._found.get(driver)
        if found is None:
            raise DriverUnknown(driver, self._found)
        if isinstance(found, EntryPoint):
            found = self._found[driver] = _load(found)
        return found

    def __contains__(self, driver: object) -> bool:
        return driver in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def drivers(folders: Iterable[Path] = ()) -> Drivers:
    """The drivers by entry point and in these folders; a file in a folder takes precedence."""
    return Drivers(folders)


def make(driver: str, options: Mapping[str, Any], context: Context, known: Drivers | None = None) -> Interface:
    """An interface with this driver and these options, not yet opened; `known` saves looking for the drivers again."""
    cls = (known if known is not None else drivers())[driver]
    return cls(convert(cls.Options, options, f"driver {driver}: option", OptionsError), context)


def settings_of(interface: Interface | type[Interface], settings: Mapping[str, Any], channel: str | None = None) -> Any:
    """A point's settings as the type of its channel, or else of the driver; SettingsError for what it cannot take."""
    known = interface.Settings if channel is None or isinstance(interface, type) else interface.settings_for(channel)
    return convert(known, settings, "setting")


def settings_schema(interface: Interface | type[Interface]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a driver's settings, from which the web form is made."""
    return schema(interface.Settings)


def _load(point: EntryPoint) -> type[Interface]:
    where = f"the driver {point.name} ({point.value})"
    try:
        cls = point.load()
        if not (isinstance(cls, type) and issubclass(cls, Interface)):
            raise TypeError("it is not a subclass of piio_agent.interfaces.Interface")
        _check(cls)
    # An entry point is a stranger's code, too.
    except (Exception, SystemExit) as reason:
        raise DriverBroken(where, reason) from reason
    return cls


class _AsItIs(SourceFileLoader):
    """Loads a file as it is now: compiled code is told by a time in seconds and a length, and these may be equal."""

    def path_stats(self, path: Any) -> Mapping[str, Any]:
        """Give nothing that compiled code could be compared with: there is none then."""
        raise OSError(f"{path} is always compiled anew")


def _import_file(path: Path) -> ModuleType:
    name = f"piio_interfaces_folder.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_AsItIs(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while they are being made.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _drivers_in(module: ModuleType) -> list[type[Interface]]:
    """The drivers that a module defines itself; a class without a name is a base of others."""
    found = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Interface)
        and thing.__module__ == module.__name__
        and thing.name
    ]
    for cls in found:
        _check(cls)
    return found


def _check(cls: type[Interface]) -> None:
    """Raise what is wrong with a driver's options and settings now, rather than when a page asks for the form."""
    schema(cls.Options)
    schema(cls.Settings)
