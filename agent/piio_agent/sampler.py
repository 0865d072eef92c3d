"""The inputs of one interface, on a thread of their own, so that one that hangs stops no other."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.input import Input, Rates
from piio_agent.interfaces.contract import Channel, Edge, Interface
from piio_agent.interfaces.door import settings_of
from piio_agent.interfaces.errors import InterfaceError, NoReading, NotSupported
from piio_agent.reasons import reason
from piio_agent.reports import EdgeSeen, Looked, Reading, Released, Report, Trouble
from piio_agent.sampling.block_sampler import BlockSampler, OnBlock

log = logging.getLogger(__name__)

LOOK_AGAIN = 5.0
"""Seconds between two looks at an interface that is not usable."""

CONFIRM = 2.0
"""Seconds between two readings of a watched line, for one whose chip has gone reports no edge of that."""


SHORT = 0.01
"""Seconds of a pause that is slept through, which costs a third of a wait that an order can end."""


class Sampler:
    """Owns the inputs of one interface. Its methods return at once; what comes of them is reported."""

    def __init__(
        self, name: str, interface: Interface, clock: Clock, report: Callable[[Report], None], on_block: OnBlock
    ) -> None:
        self._name = name
        self._interface = interface
        self._clock = clock
        self._report = report
        self._wake = threading.Condition()
        self._orders: dict[tuple[str, str], Callable[[], None]] = {}
        self._inputs: dict[str, Input] = {}
        self._channels: Mapping[str, Channel] | None = None
        self._began = self._look_at = clock.monotonic()
        self._watching = False
        self._stopping = False
        self._blocks = BlockSampler(name, interface, clock, on_block, self._sampling_failed)
        self._thread = threading.Thread(target=self._run, name=f"sampler {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def open(self, channel: str, settings: dict[str, Any], rates: Rates) -> None:
        """Take an input, or take it again with other settings, and read it."""
        self._order("open", channel, lambda: self._begin(channel, settings, rates))

    def change(self, channel: str, rates: Rates) -> None:
        """Read an input at other rates from now on."""
        self._order("change", channel, lambda: self._change(channel, rates))

    def close(self, channel: str) -> None:
        """Let go of an input."""
        self._order("close", channel, lambda: self._end(channel))

    def watch(self, watching: bool) -> None:
        """Somebody looks from now on (everything is read at once), or nobody does."""
        self._order("watch", "", lambda: self._watch(watching))

    def stop(self, timeout: float) -> None:
        """Let go of everything and end; a driver that hangs is left behind after `timeout` seconds."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _order(self, kind: str, channel: str, order: Callable[[], None]) -> None:
        """Do this after what was ordered before; it takes the place of an order of its kind that still waits."""
        with self._wake:
            self._orders.pop((kind, channel), None)
            self._orders[kind, channel] = order
            self._wake.notify()

    def _run(self) -> None:
        while True:
            order = self._next_order()
            if self._stopping:
                break
            if order:
                order()
            else:
                self._do_due()
        for channel in list(self._inputs):
            self._end(channel)
        self._blocks.stop()
        try:
            self._interface.shut()
        except Exception as error:
            log.warning("%s cannot be shut: %s", self._name, reason(error))

    def _next_order(self) -> Callable[[], None] | None:
        pause = self._pause()
        if pause is not None and 0 < pause < SHORT:
            time.sleep(pause)
        with self._wake:
            if (pause is None or pause >= SHORT) and not self._orders and not self._stopping:
                self._wake.wait(pause)
            return self._orders.pop(next(iter(self._orders))) if self._orders else None

    def _pause(self) -> float | None:
        times = [each.due for each in self._inputs.values()]
        if self._channels is None:
            times.append(self._look_at)
        return min(times) - self._clock.monotonic() if times else None

    def _do_due(self) -> None:
        now = self._clock.monotonic()
        if self._channels is None and self._look_at <= now:
            self._look_at_channels(now)
        due = [each for each in self._inputs.values() if each.due <= now]
        polled = [each.channel.channel for each in due if each.polled]
        if len(polled) > 1:
            self._read_ahead(polled)
        for each in due:
            self._visit(each, now)

    def _read_ahead(self, channels: list[str]) -> None:
        try:
            self._interface.read_ahead(channels)
        except Exception as error:
            log.warning("%s cannot read ahead: %s", self._name, reason(error))

    def _look_at_channels(self, now: float) -> None:
        try:
            self._channels = dict(self._interface.channels())
            fastest = self._interface.fastest()
        except Exception as error:
            self._look_at = now + LOOK_AGAIN
            self._report(Looked(self._name, {}, reason(error)))
        else:
            self._report(Looked(self._name, self._channels, fastest=fastest))

    def _begin(self, channel: str, settings: dict[str, Any], rates: Rates) -> None:
        now = self._clock.monotonic()
        before = self._inputs.get(channel)
        self._blocks.pause(channel)
        new = self._inputs[channel] = Input(ChannelId(self._name, channel), settings, rates, now)
        self._visit(new, now)
        if before and before.held and not new.held:
            # A driver leaves the line as it was when it cannot have the new settings: nobody wants it like that.
            self._let_go(channel)

    def _change(self, channel: str, rates: Rates) -> None:
        each = self._inputs.get(channel)
        if each:
            before, each.rates = each.rates, rates
            if each.open and rates.sample_rate != before.sample_rate:
                self._sample(each)
            each.due = min(each.due, self._clock.monotonic() + self._period(each))

    def _watch(self, watching: bool) -> None:
        self._watching = watching
        now = self._clock.monotonic()
        for each in self._inputs.values():
            if each.open and not each.watched:
                each.due = now if watching else now + self._period(each)

    def _end(self, channel: str) -> None:
        each = self._inputs.pop(channel, None)
        self._blocks.end(channel)
        if each and each.held:
            self._let_go(channel)
        self._report(Released(ChannelId(self._name, channel)))

    def _let_go(self, channel: str) -> None:
        try:
            self._interface.close(channel)
        except Exception as error:
            log.warning("%s/%s cannot be closed: %s", self._name, channel, reason(error))

    def _visit(self, each: Input, now: float) -> None:
        """Open an input that is not, read it, and decide when to come again."""
        was_open = each.open
        try:
            if not was_open:
                self._take(each)
            self._read(each)
        except NoReading as nothing:
            each.last = None
            self._report(Trouble(each.channel, str(nothing)))
        except Exception as error:
            self._fail(each, now, error)
            return
        if not was_open:
            self._sample(each)
        # One that can be read but not sampled has to fail ever more rarely, too.
        if was_open or not each.sampled:
            each.work()
        each.turn(self._clock.monotonic(), self._period(each), self._began)

    def _fail(self, each: Input, now: float, error: Exception) -> None:
        """Tell of it and come again later: what failed is opened anew, as the device may have gone and come back."""
        self._blocks.pause(each.channel.channel)
        each.fail(now)
        self._report(Trouble(each.channel, reason(error)))

    def _sample(self, each: Input) -> None:
        """Have it sampled as often as is wanted."""
        rate, channel = each.rates.sample_rate, each.channel.channel
        each.sampled = rate is not None
        if rate is None:
            self._blocks.end(channel)
        else:
            self._blocks.begin(channel, rate, (self._channels or {}).get(channel))

    def _sampling_failed(self, channel: str, error: Exception) -> None:
        self._order("failed", channel, lambda: self._end_sampling(channel, error))

    def _end_sampling(self, channel: str, error: Exception) -> None:
        each = self._inputs.get(channel)
        if each and each.sampled:
            self._fail(each, self._clock.monotonic(), error)

    def _take(self, each: Input) -> None:
        channel = each.channel.channel
        self._interface.open(channel, "input", settings_of(self._interface, each.settings, channel))
        each.held = True
        known = (self._channels or self._interface.channels()).get(channel)
        each.watched = False
        if known and known.edges:
            try:
                self._interface.watch(channel, lambda edge: self._edge(each, edge))
                each.watched = True
            except NotSupported:
                log.info("%s reports no edges: it is polled", each.channel)
        each.open = True

    def _read(self, each: Input) -> None:
        edges = each.edges
        raw = self._newest(each)
        if raw is None:
            return
        if not math.isfinite(raw):
            raise InterfaceError(f"{each.channel} reads {raw}, which is no number: see to its wiring")
        with each.lock:
            # An edge that came meanwhile knows better than this reading.
            if each.edges == edges and raw != each.last:
                each.last = raw
                self._report(Reading(each.channel, raw))

    def _newest(self, each: Input) -> float | None:
        """What it is now; of one that is sampled, the newest sample, None before the first."""
        channel = each.channel.channel
        return self._blocks.newest(channel) if each.sampled else self._interface.read(channel)

    def _edge(self, each: Input, edge: Edge) -> None:
        if self._inputs.get(each.channel.channel) is not each:
            return  # the line was taken anew meanwhile
        with each.lock:
            each.edges += 1
            each.last = edge.raw
            self._report(EdgeSeen(each.channel, edge))

    def _period(self, each: Input) -> float:
        if each.watched:
            return CONFIRM
        return each.rates.period if self._watching else each.rates.idle_period
