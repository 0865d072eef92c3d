"""Which output of each interlock group may be on: at most one, across interfaces, with a dead time between two."""

import threading

from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.outputs.forbidden import Interlocked, passed
from piio_schemas.configuration import Interlock


class _Claim(Struct, frozen=True):
    """An output that is on, or may be; `point` is what people call it."""

    point: str
    interlock: Interlock


class _Off(Struct, frozen=True):
    """An output that was on, and when it was off."""

    point: str
    interlock: Interlock
    at: float


class Interlocks:
    """Claims to be on, by channel; may be asked from any thread, and each answer holds for all. Times are boottime.

    An output claims its group before it is driven on, and keeps the claim until it is known to be off: a claim whose
    driver has failed or hangs stays. Then its dead time begins, or the other's if that is longer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[ChannelId, _Claim] = {}
        self._offs: dict[ChannelId, _Off] = {}

    def claim(self, channel: ChannelId, point: str, interlock: Interlock, now: float) -> bool:
        """Let an output be on, or raise Interlocked; True: it had no claim before."""
        with self._lock:
            for other, claim in self._claims.items():
                if other != channel and claim.interlock.group == interlock.group:
                    raise Interlocked(interlock.group, f"'{claim.point}' is on")
            new = channel not in self._claims
            if new:
                self._check_dead_time(channel, interlock, now)
            self._claims[channel] = _Claim(point, interlock)
            return new

    def withdraw(self, channel: ChannelId) -> None:
        """Forget the claim of an output that did not go on after all, or is in no group any more."""
        with self._lock:
            self._claims.pop(channel, None)

    def release(self, channel: ChannelId, now: float) -> None:
        """End the claim of an output that is known to be off; fine if it has none."""
        with self._lock:
            claim = self._claims.pop(channel, None)
            if claim:
                self._offs[channel] = _Off(claim.point, claim.interlock, now)

    def note_off(self, channel: ChannelId, point: str, interlock: Interlock, since: float) -> None:
        """An output was on before it came here, until then: its dead time counts from there."""
        with self._lock:
            self._offs[channel] = _Off(point, interlock, since)

    def _check_dead_time(self, channel: ChannelId, interlock: Interlock, now: float) -> None:
        for other, off in self._offs.items():
            dead_time = max(off.interlock.dead_time, interlock.dead_time)
            if other != channel and off.interlock.group == interlock.group and now < off.at + dead_time:
                why = f"'{off.point}' went off {passed(now - off.at)} s ago; dead time is {dead_time:g} s"
                raise Interlocked(interlock.group, why)
