"""One output: what it is, why, and what it will do by itself."""

import math
from typing import Any

from piio_agent.clock import Clock
from piio_agent.interfaces.contract import Interface
from piio_agent.interfaces.door import settings_of
from piio_agent.interfaces.errors import InterfaceError, NotSupported, ValueRefused
from piio_agent.outputs.interlocks import Interlocks
from piio_agent.outputs.messages import Open, Policies
from piio_agent.outputs.policies import raw_when_lost
from piio_agent.outputs.switches import Switches
from piio_schemas.states import FailSafe

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
"""Seconds between two tries of an output that has failed."""

CONFIRM = 2.0
"""Seconds between two looks at an output that nobody moves: its chip may have gone."""


class Line:
    """An output of an interface. Its methods drive the hardware and raise what the driver raises; times are boottime.

    `wanted` is what it has to be, and what it becomes as soon as a broken driver works again. It is `held` while all
    goes well, and `taken` while its driver may have it. What would bring it on against an interlock raises Forbidden
    and touches nothing.
    """

    def __init__(
        self, asked: Open, interface: Interface, switches: Switches, interlocks: Interlocks, clock: Clock
    ) -> None:
        self.channel = asked.channel
        self.settings = asked.settings
        self.policies = asked.policies
        self.point = asked.point or str(asked.channel)
        self.switches = switches
        self.wanted = 0.0
        self.read = 0.0
        self.held = False
        self.taken = False
        self.fail_safe: str | None = None
        self.last_fail_safe: FailSafe | None = None
        self.retry_at: float | None = None
        self.pulse_ends: float | None = None
        self.lease_from = 0.0
        self.lost = False
        self._interface = interface
        self._interlocks = interlocks
        self._clock = clock
        self._before_pulse = 0.0
        self._pause = FIRST_PAUSE
        self._confirm_at: float | None = None

    @property
    def lasting(self) -> float:
        """What it is once a running pulse has ended."""
        return self.wanted if self.pulse_ends is None else self._before_pulse

    def take(self, now: float) -> None:
        """Take the line; it becomes `wanted` in the same request."""
        settings = settings_of(self._interface, self.settings, self.channel.channel)
        claimed = self._claim(self.wanted, now)
        try:
            self._interface.open(self.channel.channel, "output", settings, self.wanted)
        except InterfaceError:
            self._withdraw(claimed)
            raise
        self.taken = True
        self.held, self.retry_at, self._pause = True, None, FIRST_PAUSE
        self._confirm_at = now + CONFIRM
        self._became(self.wanted, now)

    def drive(self, raw: float, now: float) -> None:
        """Make it take a raw, and read back what it is then."""
        claimed = self._claim(raw, now)
        try:
            self._interface.write(self.channel.channel, raw)
        except ValueRefused:
            self._withdraw(claimed)
            raise
        self._became(raw, now)

    def order(self, raw: float, pulse: float | None, now: float) -> None:
        """Do what somebody asked: it ends a fail-safe and replaces a running pulse; or Forbidden by a policy."""
        before = self.lasting
        self.switches.check(raw != 0, self.policies, now)
        if pulse is not None:
            self.switches.check_pulse(raw != 0, before != 0, pulse, self.policies, now)
        self.drive(raw, now)
        self.fail_safe = None
        self._before_pulse = before
        # From when it is what was asked: a slow driver takes nothing away from a pulse.
        self.pulse_ends = None if pulse is None else self._clock.boottime() + pulse
        if self.lost:
            # Whoever sends orders is there; from here it has one lease to show that it still is.
            self.lost, self.lease_from = False, now

    def hear(self, at: float) -> None:
        """The bridge was heard then; a lease that had run out by then is not renewed, as what follows of it is due."""
        ends = self._lease_ends()
        if ends is None or at <= ends:
            self.lease_from, self.lost = max(self.lease_from, at), False

    def note_off(self, since: float) -> None:
        """It was on in the process before, until then."""
        self.switches.note_off(since)
        if self.policies.interlock:
            self._interlocks.note_off(self.channel, self.point, self.policies.interlock, since)

    def due(self) -> float | None:
        """When it will do something by itself."""
        if not self.held:
            return self.retry_at
        times = [self.pulse_ends, self._lease_ends(), self._max_on_ends(), self._confirm_at]
        return min((time for time in times if time is not None), default=None)

    def follow(self, policies: Policies, point: str, now: float) -> None:
        """Follow other policies from now on; a lease that has run out is judged anew by them.

        Forbidden: it is on, and must not be so in the group it is in now.
        """
        self.policies, self.point, self.lost = policies, point or self.point, False
        if policies.interlock is None:
            self._interlocks.withdraw(self.channel)
        elif self.switches.on:
            self._claim(1.0, now)

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
        if why:
            self.fail_safe, self.last_fail_safe = why, FailSafe(why, self._clock.unix())

    def rests(self, raw: float, why: str) -> bool:
        """Whether it is this already, for good, and for this reason."""
        return self.wanted == raw and self.pulse_ends is None and (self.fail_safe or "").startswith(why)

    def confirm(self, now: float) -> bool:
        """See whether it is still there, when that is due; True: it reads otherwise than it did.

        An output that cannot be read back is trusted.
        """
        if self._confirm_at is None or now < self._confirm_at:
            return False
        self._confirm_at = now + CONFIRM
        before = self.read
        try:
            self.read = self._reading(before)
        except NotSupported:
            self._confirm_at = None
            return False
        self._release(self.read)
        # Not compared with what it was given, which a converter rounds.
        return self.read != before

    def broke(self, now: float) -> None:
        """Let some time pass and take it anew."""
        self.held = False
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def close(self) -> None:
        """Let the line go."""
        self.held, self.retry_at = False, None
        if self.taken:
            self._interface.close(self.channel.channel)
            self.taken = False

    def leave(self) -> None:
        """It is an output no more: from here on it counts as off."""
        now = self._clock.boottime()
        self.switches.note(False, now, now)
        self._interlocks.release(self.channel, now)

    def _claim(self, raw: float, now: float) -> bool:
        """Claim its group before it goes on; True if it had not."""
        interlock = self.policies.interlock
        if raw == 0 or interlock is None:
            return False
        return self._interlocks.claim(self.channel, self.point, interlock, now)

    def _withdraw(self, claimed: bool) -> None:
        if claimed:
            self._interlocks.withdraw(self.channel)

    def _release(self, read: float) -> None:
        """Let others of its group come on if it is off: by what it was given, and by what it reads."""
        if not self.switches.on and not read:
            self._interlocks.release(self.channel, self._clock.boottime())

    def _became(self, raw: float, began: float) -> None:
        # An order that keeps it on is no switch: a repeated one would outwit max_on.
        self.switches.note(raw != 0, began, self._clock.boottime())
        self.read = self._read_back(raw)
        # Only now: an order that cannot be read back has failed, and the line is taken anew as it was before.
        self.wanted = raw
        self._release(self.read)

    def _read_back(self, raw: float) -> float:
        try:
            return self._reading(raw)
        except NotSupported:
            return raw

    def _reading(self, otherwise: float) -> float:
        """What it reads, as a plain float whatever its driver calls one; `otherwise` if that is no finite number."""
        read: Any = self._interface.read(self.channel.channel)
        try:
            number = float(read)
        except (TypeError, ValueError, OverflowError):
            return otherwise
        return number if math.isfinite(number) else otherwise

    def _lease_ends(self) -> float | None:
        # A fail-safe stays until a new order, whatever the bridge does meanwhile.
        return None if self.lost or self.fail_safe else self.lease_from + self.policies.lease

    def _max_on_ends(self) -> float | None:
        if self.policies.max_on is None or self.switches.on_since is None:
            return None
        return self.switches.on_since + self.policies.max_on
