"""One output: what it is, why, and what it will do by itself."""

import math
from typing import Any

from piio_agent.channel import ChannelId
from piio_agent.interfaces.contract import Interface
from piio_agent.interfaces.door import settings_of
from piio_agent.interfaces.errors import NotSupported
from piio_agent.outputs.messages import Policies
from piio_agent.outputs.policies import raw_when_lost

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
"""Seconds between two tries of an output that has failed."""

CONFIRM = 2.0
"""Seconds between two looks at an output that nobody moves: its chip may have gone."""


class Line:
    """An output of an interface. Its methods drive the hardware and raise what the driver raises; times are boottime.

    `wanted` is what it has to be, and what it becomes as soon as a broken driver works again.
    """

    def __init__(self, channel: ChannelId, interface: Interface, settings: dict[str, Any], policies: Policies) -> None:
        self.channel = channel
        self.policies = policies
        self.wanted = 0.0
        self.read = 0.0
        self.held = False
        self.fail_safe: str | None = None
        self.retry_at: float | None = None
        self.pulse_ends: float | None = None
        self.lease_from = 0.0
        self.lost = False
        self._interface = interface
        self._taken = False
        self._settings = settings
        self._before_pulse = 0.0
        self._on_since: float | None = None
        self._pause = FIRST_PAUSE
        self._confirm_at: float | None = None

    @property
    def lasting(self) -> float:
        """What it is once a running pulse has ended."""
        return self.wanted if self.pulse_ends is None else self._before_pulse

    def take(self, now: float) -> None:
        """Take the line; it becomes `wanted` in the same request."""
        settings = settings_of(self._interface, self._settings)
        self._interface.open(self.channel.channel, "output", settings, self.wanted)
        self._taken = True
        self.held, self.retry_at, self._pause = True, None, FIRST_PAUSE
        self._confirm_at = now + CONFIRM
        self._became(self.wanted, now)

    def drive(self, raw: float, now: float) -> None:
        """Make it take a raw, and read back what it is then."""
        self._interface.write(self.channel.channel, raw)
        self._became(raw, now)

    def order(self, raw: float, pulse: float | None, now: float) -> None:
        """Do what somebody asked: it ends a fail-safe and replaces a running pulse."""
        before = self.lasting
        self.drive(raw, now)
        self.fail_safe = None
        self._before_pulse = before
        self.pulse_ends = None if pulse is None else now + pulse
        if self.lost:
            # Whoever sends orders is there; from here it has one lease to show that it still is.
            self.lost, self.lease_from = False, now

    def due(self) -> float | None:
        """When it will do something by itself."""
        if not self.held:
            return self.retry_at
        times = [self.pulse_ends, self._lease_ends(), self._max_on_ends(), self._confirm_at]
        return min((time for time in times if time is not None), default=None)

    def follow(self, policies: Policies) -> None:
        """Follow other policies from now on; a lease that has run out is judged anew by them."""
        self.policies, self.lost = policies, False

    def next_move(self, now: float) -> tuple[float, str | None] | None:
        """What it has to become now, and the reason if that is a fail-safe; None: nothing is due."""
        lease_ends, max_on_ends = self._lease_ends(), self._max_on_ends()
        if lease_ends is not None and lease_ends <= now:
            self.lost = True
            raw = raw_when_lost(self.policies)
            if raw is not None and (raw != self.wanted or self.pulse_ends is not None):
                return raw, f"no sign of the bridge for {self.policies.lease:g} s"
        if max_on_ends is not None and max_on_ends <= now:
            return 0.0, f"it was on for {self.policies.max_on:g} s"
        if self.pulse_ends is not None and self.pulse_ends <= now:
            return self._before_pulse, None
        return None

    def settle(self, raw: float, why: str | None) -> None:
        """From now on it has to be this, pulses are over, and this is the fail-safe's reason, if it is one."""
        self.wanted, self.pulse_ends = raw, None
        self.fail_safe = why or self.fail_safe

    def confirm(self, now: float) -> None:
        """See whether it is still there, when that is due; an output that cannot be read back is trusted."""
        if self._confirm_at is None or now < self._confirm_at:
            return
        self._confirm_at = now + CONFIRM
        try:
            self._interface.read(self.channel.channel)
        except NotSupported:
            self._confirm_at = None

    def broke(self, now: float) -> None:
        """Let some time pass and take it anew."""
        self.held = False
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def close(self) -> None:
        """Let the line go."""
        self.held, self.retry_at = False, None
        if self._taken:
            self._interface.close(self.channel.channel)

    def _became(self, raw: float, now: float) -> None:
        if raw == 0:
            self._on_since = None
        elif self._on_since is None:
            # An order that keeps it on does not prolong: a repeated one would outwit max_on.
            self._on_since = now
        self.read = self._read_back(raw)
        # Only now: an order that cannot be read back has failed, and the line is taken anew as it was before.
        self.wanted = raw

    def _read_back(self, raw: float) -> float:
        try:
            read = self._interface.read(self.channel.channel)
        except NotSupported:
            return raw
        return read if math.isfinite(read) else raw

    def _lease_ends(self) -> float | None:
        # A fail-safe stays until a new order, whatever the bridge does meanwhile.
        return None if self.lost or self.fail_safe else self.lease_from + self.policies.lease

    def _max_on_ends(self) -> float | None:
        if self.policies.max_on is None or self._on_since is None:
            return None
        return self._on_since + self.policies.max_on
