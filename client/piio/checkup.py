"""What `piio doctor` is told by each installed part."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """One thing that was looked at: usable, not usable, or (None) not needed here."""

    part: str
    ok: bool | None
    message: str
    remedy: str = ""
    """What to type or do; empty where nothing needs doing."""
