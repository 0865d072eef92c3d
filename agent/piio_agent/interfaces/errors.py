"""What can go wrong with an interface; every message names the culprit and, where there is one, the remedy."""

# The names say what is wrong: `ChannelBusy` needs no `Error` behind it.

from __future__ import annotations

import errno
from collections.abc import Iterable


class InterfaceError(OSError):
    """The root of all errors of interfaces; its text is meant for the person at the web page."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class DriverUnknown(InterfaceError, LookupError):
    """No driver has this name."""

    def __init__(self, driver: str, known: Iterable[str]) -> None:
        super().__init__(f"no driver is called {driver!r}; there are: {', '.join(sorted(known)) or 'none'}")


class DriverMissing(InterfaceError):
    """The package a driver needs is not installed; the ImportError is its cause."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is missing: pip install 'piio[{extra}]'")


class DriverBroken(InterfaceError):
    """A driver's file or entry point could not be loaded."""

    def __init__(self, where: str, reason: BaseException) -> None:
        super().__init__(f"{where} cannot be loaded: {type(reason).__name__}: {reason}")


class OptionsError(InterfaceError, ValueError):
    """An option of an interface in the agent's file is unknown or of the wrong type."""


class SettingsError(InterfaceError, ValueError):
    """A setting of a point is unknown, of the wrong type, or not possible on this channel."""


class ChannelUnknown(InterfaceError, LookupError):
    """The interface has no such channel."""

    def __init__(self, channel: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no channel {channel!r}; there are: {', '.join(known) or 'none'}")


class ChannelBusy(InterfaceError):
    """Somebody else holds the channel."""

    def __init__(self, label: str, holder: str) -> None:
        super().__init__(errno.EBUSY, f"{label} is held by {holder!r}: stop that program, or choose another channel")
        self.holder = holder


class ChannelClosed(InterfaceError):
    """The channel is read, written or watched without being open for it."""

    def __init__(self, label: str, wanted: str = "open") -> None:
        super().__init__(f"{label} is not {wanted}")


class NotSupported(InterfaceError):
    """The driver or the channel cannot do what was asked."""


class NoReading(InterfaceError):
    """The channel is well, but there is nothing to read now: it is asked again in its turn."""


class ValueRefused(InterfaceError, ValueError):
    """The channel cannot take this raw value; nothing is ever clamped."""

    def __init__(self, label: str, raw: float, wanted: str) -> None:
        super().__init__(f"{label} cannot take {raw:g}: it takes {wanted}")


class DeviceMissing(InterfaceError, FileNotFoundError):
    """There is no such chip or device file."""


class PermissionDenied(InterfaceError, PermissionError):
    """The device file is there, but this user may not open it."""

    def __init__(self, path: str, group: str) -> None:
        super().__init__(
            errno.EACCES,
            f"{path}: permission denied: add this user to the group {group}: sudo usermod -aG {group} $USER",
        )


class DeviceFailed(InterfaceError):
    """The hardware answered with an error while it was in use."""

    def __init__(self, label: str, doing: str, reason: OSError) -> None:
        name = errno.errorcode.get(reason.errno or 0, "")
        super().__init__(
            reason.errno or errno.EIO, f"{label}: {doing} failed: {reason.strerror or reason} ({name or 'no errno'})"
        )
