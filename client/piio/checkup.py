"""What `piio doctor` is told by each installed part."""

from pathlib import Path

from msgspec import Struct


class Scope(Struct, frozen=True):
    """What a person asked to be looked at besides what is installed."""

    config: Path | None = None
    """An agent's own file, `agent.toml`."""
    folders: tuple[Path, ...] = ()
    """Where more drivers are."""


class Finding(Struct, frozen=True):
    """One thing that was looked at: usable, not usable, or (None) not needed here."""

    part: str
    ok: bool | None
    message: str
    remedy: str = ""
    """What to type or do; empty where nothing needs doing."""
