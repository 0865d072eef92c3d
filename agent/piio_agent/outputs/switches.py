"""When an output was switched, and whether its policies let it be switched again."""

import math
from collections import deque
from copy import copy
from typing import Self

from piio_agent.outputs.forbidden import Forbidden, passed
from piio_agent.outputs.messages import Policies

MOST_REMEMBERED = 6000
"""Switches of an output that are remembered: as many as the highest rate counts."""


class Switches:
    """An output's history, in seconds of boottime: on is any raw but 0, and between two such raws nothing is switched.

    It outlives the line: what is let go and taken again has still been switched off a moment ago.
    """

    def __init__(self) -> None:
        self.on_since: float | None = None
        """When it began to go on; None: it is off."""
        self._since: float | None = None
        """When the last switch was over; None: there was none, as far as is known."""
        self._times: deque[float] = deque(maxlen=MOST_REMEMBERED)

    @property
    def on(self) -> bool:
        """Whether it is on."""
        return self.on_since is not None

    @property
    def off_since(self) -> float | None:
        """When it was off; None: it is on, or was never on as far as is known."""
        return None if self.on else self._since

    def note(self, on: bool, began: float, ended: float) -> None:
        """It was driven on or off by a driver that took from `began` to `ended`; once more the same is no switch."""
        if on != self.on:
            self.on_since = began if on else None
            self._since = ended
            self._times.append(ended)

    def note_off(self, since: float) -> None:
        """It was on before it came here, until then."""
        self._since = since

    def check(self, on: bool, policies: Policies, now: float) -> None:
        """Raise Forbidden unless it may be switched on or off now; to stay as it is needs no leave."""
        if on != self.on:
            self._check_time(policies, now)
            self._check_rate(policies, now)

    def check_pulse(self, on: bool, back: bool, pulse: float, policies: Policies, now: float) -> None:
        """Raise Forbidden unless what is driven on or off now may return after `pulse` seconds."""
        then = self._after(on, now)
        try:
            then.check(back, policies, now + pulse)
        except Forbidden as error:
            raise Forbidden(error.rule, f"a pulse of {pulse:g} s could not end: by then {error.why}") from error

    def _after(self, on: bool, at: float) -> Self:
        """Return what it will be once it was driven on or off."""
        then = copy(self)
        then._times = self._times.copy()
        then.note(on, at, at)
        return then

    def _check_time(self, policies: Policies, now: float) -> None:
        least = policies.min_on if self.on else policies.min_off
        if self._since is not None and now < self._since + least:
            ago = passed(now - self._since)
            if self.on:
                raise Forbidden("min_on", f"it was switched on {ago} s ago and stays on for {least:g} s")
            raise Forbidden("min_off", f"it was switched off {ago} s ago and stays off for {least:g} s")

    def _check_rate(self, policies: Policies, now: float) -> None:
        if policies.rate is None:
            return
        # Below one a minute it is one in as many minutes as that takes.
        most = max(1, int(policies.rate))
        window = 60.0 * most / policies.rate
        if len(self._times) < most or now >= self._times[-most] + window:
            return
        count = sum(now < time + window for time in self._times)
        switched = "once" if count == 1 else f"{count} times"
        within = "minute" if window == 60 else f"{window:g} s"
        allowed = "1 is allowed" if most == 1 else f"{most} are allowed"
        again = _up(self._times[-most] + window - now)
        raise Forbidden("rate", f"switched {switched} in the last {within}; {allowed}, again in {again} s")


def _up(seconds: float) -> str:
    return f"{math.ceil(round(seconds * 10, 6)) / 10:.1f}"
