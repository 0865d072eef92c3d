"""Whatever happens in whatever order, three interlocked outputs keep to their policies: their boards' traces tell."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from piio_agent.channel import ChannelId
from piio_agent.outputs.line import LONGEST_PAUSE
from piio_agent.outputs.messages import Became, Broken, Heard, Open, Policies, StopAll
from piio_schemas.configuration import Interlock
from tests.agent.outputs.bench import FAN, LAMP, VALVE, Bench

ROUNDING = 0.001
POLICIES = {
    LAMP: Policies(max_on=4, min_on=0.5, min_off=1, rate=6, lease=3, interlock=Interlock("g", 0.5)),
    FAN: Policies(on_lost="hold", min_on=1, min_off=0.5, rate=4, lease=5, interlock=Interlock("g", 1)),
    VALVE: Policies(on_lost="on", max_on=2, rate=5, lease=2, interlock=Interlock("g", 0.25)),
}

lines = st.sampled_from(sorted(POLICIES))
order = st.tuples(st.just("order"), lines, st.sampled_from([0, 1]), st.sampled_from([None, 0.3, 1.0, 2.5]))
toggle = st.tuples(st.just("toggle"), lines)
pause = st.tuples(st.just("bridge"), st.sampled_from([0.25, 0.5, 0.5, 1.0, 1.0, 3.0, 30.0]))
silence = st.tuples(st.just("wait"), st.sampled_from([1.0, 3.0]))
trouble = st.tuples(st.sampled_from(["fault", "heal", "open", "other settings"]), lines)
events = st.one_of(toggle, toggle, pause, pause, order, silence, trouble, st.tuples(st.just("stop all")))


class Witness:
    """Sees every switch, knows what it came from, and remembers only what it saw."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.switches: dict[ChannelId, list[tuple[float, bool]]] = defaultdict(list)
        self.broken: set[ChannelId] = set()
        self.excused: dict[ChannelId, float] = defaultdict(float)
        """Until when a line that was broken need not be off by max_on."""
        self.faults = 0
        self._bias: dict[ChannelId, str] = defaultdict(lambda: "as-is")
        for channel in POLICIES:
            self.open(channel)

    @property
    def now(self) -> float:
        return self.bench.clock.boottime()

    def on(self, channel: ChannelId) -> bool:
        return bool(self.switches[channel]) and self.switches[channel][-1][1]

    def see(self, cause: str, act: Callable[[], Any]) -> Any:
        """Let something happen and judge every switch that came of it."""
        reports, counts = len(self.bench.reports), {channel: len(self.bench.levels(channel)) for channel in POLICIES}
        result = act()
        new = self.bench.reports[reports:]
        found = [
            (entry.mono_ns, bool(entry.level), channel)
            for channel in POLICIES
            for entry in self.bench.boards[channel.interface].trace.changes(channel.channel)[counts[channel] :]
        ]
        # All at one moment of this clock: what makes room comes before what takes it.
        for _, on, channel in sorted(found):
            self._judge(channel, on, cause or self._cause(channel, new))
        for report in new:
            if isinstance(report, Broken):
                self.broken.add(report.channel)
            elif isinstance(report, Became):
                self.broken.discard(report.channel)
        for channel, policies in POLICIES.items():
            if policies.max_on and self.on(channel) and self.now >= self.excused[channel]:
                assert self.now <= self.switches[channel][-1][0] + policies.max_on + ROUNDING
        return result

    def _cause(self, channel: ChannelId, new: list[Any]) -> str:
        became = [report for report in new if isinstance(report, Became) and report.channel == channel][-1]
        if became.last_fail_safe and became.last_fail_safe.time == self.bench.clock.unix():
            return "fail-safe"
        return "repair" if channel in self.broken else "pulse"

    def _judge(self, channel: ChannelId, on: bool, cause: str) -> None:
        assert on != self.on(channel)
        if on:
            assert self._interlocked(channel) is None
        if cause in ("order", "pulse"):
            assert self._too_soon(channel) is None
        self.switches[channel].append((self.now, on))

    def _too_soon(self, channel: ChannelId) -> str | None:
        """Why it must not be switched now, by what was seen of it alone."""
        policies, seen = POLICIES[channel], self.switches[channel]
        if seen:
            rule, least = ("min_on", policies.min_on) if self.on(channel) else ("min_off", policies.min_off)
            if self.now < seen[-1][0] + least - 1e-9:
                return rule
        lately = [at for at, _ in seen if self.now < at + 60 - 1e-9]
        return "rate" if policies.rate is not None and len(lately) >= policies.rate else None

    def _interlocked(self, channel: ChannelId) -> str | None:
        for other in POLICIES.keys() - {channel}:
            locks = [POLICIES[each].interlock for each in (channel, other)]
            dead_time = max(lock.dead_time for lock in locks if lock)
            seen = self.switches[other]
            if seen and (seen[-1][1] or self.now < seen[-1][0] + dead_time - 1e-9):
                return "interlock"
        return None

    def order(self, channel: ChannelId, raw: float, pulse: float | None) -> None:
        expected = None
        if bool(raw) != self.on(channel):
            expected = self._too_soon(channel) or (self._interlocked(channel) if raw else None)
        before = {each: list(seen) for each, seen in self.switches.items()}
        outcome = self.see("order", lambda: self.bench.order(raw, channel, pulse))
        if outcome.status == "done":
            assert expected is None
        else:
            assert {each: seen for each, seen in self.switches.items() if seen} == {
                k: v for k, v in before.items() if v
            }
        if not self.faults and pulse is None:
            assert (outcome.status, outcome.rule) == ("refused" if expected else "done", expected)

    def wait(self, seconds: float, bridge: bool = False) -> None:
        until = self.now + seconds
        while self.now < until - 1e-9:
            dues = [due for engine in self.bench.engines.values() if (due := engine.due()) is not None]
            self.bench.clock.advance(min(until - self.now, max(ROUNDING, min(dues, default=until) - self.now)))
            if bridge:
                self.bench.tell(Heard())
            self.see("", self.bench.tick)

    def open(self, channel: ChannelId) -> None:
        settings = {"bias": self._bias[channel]}
        self.see("opening", lambda: self.bench.tell(Open(channel, settings, POLICIES[channel], channel.channel)))

    def happen(self, event: tuple[Any, ...]) -> None:
        match event:
            case ("order", channel, raw, pulse):
                self.order(channel, raw, pulse)
            case ("toggle", channel):
                self.order(channel, float(not self.on(channel)), None)
            case ("wait" | "bridge" as kind, seconds):
                self.wait(seconds, kind == "bridge")
            case ("fault", channel):
                self.faults += 1
                self.excused[channel] = float("inf")
                self.bench.boards[channel.interface].fault("gpio", channel.channel, "the cable is out")
            case ("heal", channel):
                self.excused[channel] = self.now + LONGEST_PAUSE + ROUNDING
                self.bench.boards[channel.interface].heal("gpio", channel.channel)
            case ("open", channel):
                self.open(channel)
            case ("other settings", channel):
                self._bias[channel] = "pull-down" if self._bias[channel] == "as-is" else "as-is"
                self.open(channel)
            case _:
                self.see("fail-safe", lambda: self.bench.tell(StopAll("anna")))


@settings(max_examples=200, deadline=None)
@given(st.lists(events, max_size=60))
def test_the_policies_of_interlocked_outputs_hold_whatever_happens(happening: list[tuple[Any, ...]]) -> None:
    witness = Witness()
    for event in happening:
        witness.happen(event)
