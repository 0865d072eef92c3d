"""Which channel of which interface: the key of everything the agent keeps."""

from typing import NamedTuple


class ChannelId(NamedTuple):
    """One channel of a board."""

    interface: str
    channel: str

    def __str__(self) -> str:
        return f"{self.interface}/{self.channel}"
