"""What the rest of the agent says to the outputs, and what they say back; all of it can be encoded."""

from typing import Any, Literal

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_schemas.commands import Rule
from piio_schemas.configuration import Interlock
from piio_schemas.states import FailSafe
from piio_schemas.stopping import STOPPED


class Policies(Struct, frozen=True):
    """What an output does without being asked; on, off and raws as in the configuration, times in seconds."""

    on_start: Literal["off", "on", "last"] | float = "off"
    on_lost: Literal["off", "on", "hold"] | float = "off"
    lease: float = 10.0
    max_on: float | None = None
    min_on: float = 0.0
    min_off: float = 0.0
    rate: float | None = None
    """Switches a minute."""
    interlock: Interlock | None = None


class Open(Struct, frozen=True, tag=True):
    """Take this output, or take it again with other settings; its first value follows from its policies.

    One that is held with these very settings is not touched: it follows the policies and says what it is.
    """

    channel: ChannelId
    settings: dict[str, Any]
    policies: Policies
    point: str = ""
    """What people call it."""


class Change(Struct, frozen=True, tag=True):
    """Keep the line and follow these policies from now on."""

    channel: ChannelId
    policies: Policies
    point: str = ""


class Close(Struct, frozen=True, tag=True):
    """Drive this output to where it is safe and let it go."""

    channel: ChannelId


class Order(Struct, frozen=True, tag=True):
    """Make this output take a value."""

    id: str
    channel: ChannelId
    raw: float
    expires: float
    """CLOCK_BOOTTIME in seconds; later it must not act."""
    pulse: float | None = None
    echoes: float | None = None
    """CLOCK_BOOTTIME after which it was asked, for all that is known; None: nothing is."""


class Heard(Struct, frozen=True, tag=True):
    """A beacon of the bridge was received."""


class StopAll(Struct, frozen=True, tag=True):
    """Drive every output to where it is safe, off where that is to stay as it is; each stays there until a new order.

    Orders that still waited are refused.
    """

    by: str
    waiting: tuple[Order, ...] = ()
    at: float | None = None
    """CLOCK_BOOTTIME: what may have been asked before is refused from now on. None: said again, behind all of that."""

    @property
    def reason(self) -> str:
        """Why its fail-safes were taken."""
        return f"{STOPPED}{self.by}"


class Forsaken(Struct, frozen=True, tag=True):
    """The rest of the agent is not there: drive every output to where it is safe, or leave it where that is wanted."""

    reason: str


class Stop(Struct, frozen=True, tag=True):
    """Drive every output to where it is safe and let it go; nothing comes after."""


Message = Open | Change | Close | Order | Heard | StopAll | Forsaken | Stop


class Became(Struct, frozen=True, tag=True):
    """An output is in force and is this now."""

    channel: ChannelId
    raw: float
    fail_safe: str | None = None
    """Why it was driven safe, until a new value is ordered."""
    last_fail_safe: FailSafe | None = None
    """The newest one, whether or not it is over."""


class Broken(Struct, frozen=True, tag=True):
    """An output could not be taken or driven; it is tried again."""

    channel: ChannelId
    error: str


class Closed(Struct, frozen=True, tag=True):
    """An output was let go."""

    channel: ChannelId


class Outcome(Struct, frozen=True, tag=True):
    """What became of an order."""

    id: str
    channel: ChannelId
    status: Literal["done", "refused", "expired", "failed"]
    reason: str = ""
    read: float | None = None
    rule: Rule | None = None
    """The policy that refused it."""
    became: Became | None = None
    """What the output is by it; one message for both is there sooner than two."""


Report = Became | Broken | Closed | Outcome
