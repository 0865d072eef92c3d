"""The agent: a board's hardware, its configuration and its way to the broker, put together."""

import logging
import secrets
import threading
from functools import partial

from piio.complaints import Complaints
from piio.connection import Connection, Message
from piio_agent.applied import AppliedState
from piio_agent.backlog import Backlog
from piio_agent.batches import Batches
from piio_agent.board import board
from piio_agent.channel import ChannelId
from piio_agent.clock import Clock, SystemClock
from piio_agent.configuring import Configuring
from piio_agent.counting.counts import KeptCounts
from piio_agent.counting.interface import Counting
from piio_agent.hardware import Hardware
from piio_agent.holder.digest import digest_of
from piio_agent.holder.link import Link
from piio_agent.holder.messages import Hello
from piio_agent.holder.remote import remote
from piio_agent.inbox import Inbox
from piio_agent.interfaces.contract import Context
from piio_agent.late import Late
from piio_agent.loop import Loop
from piio_agent.outputs import messages as outputs
from piio_agent.outputs.outputs import Outputs
from piio_agent.presence import WITH_OUTPUTS, WITHOUT_OUTPUTS, Presence
from piio_agent.readings import Readings
from piio_agent.reports import EdgeSeen, Looked, Reading, Released, Report, Trouble
from piio_agent.sampler import Sampler
from piio_agent.sampling.block_queue import BlockQueue
from piio_agent.sampling.edges import Edges
from piio_agent.settings import Identity
from piio_agent.software import software
from piio_agent.stops import Stops
from piio_agent.storage import LastOutputs, StoredConfiguration
from piio_agent.uplink import Uplink
from piio_agent.viewers import Viewers
from piio_agent.voice import Voice
from piio_agent.wanted import kept
from piio_agent.watchdog import Watchdog
from piio_schemas import topics
from piio_schemas.configuration import Configuration
from piio_schemas.states import Board

log = logging.getLogger(__name__)

HEALTH = 10.0
"""Seconds between two reports of health."""

LAST_WORDS = 0.7
"""Seconds that outputs, inputs, disk and broker may take each when the agent ends."""


class Agent:
    """One board. `run` is its life, on the thread that calls it; `stop` may be called from anywhere."""

    def __init__(self, identity: Identity, clock: Clock | None = None, apart: bool = False) -> None:
        """Put it together; `apart`: outputs are held by a process of their own, which outlives this one."""
        self.identity = identity
        self.boot = secrets.token_hex(8)
        self._clock = clock = clock or SystemClock()
        folder = identity.folder
        self._stored = StoredConfiguration(folder / "config.json") if folder else None
        self.leaving = False
        self.loop = Loop(clock)
        self.complaints = Complaints(clock)
        self.hardware = Hardware(identity.interfaces, Context(clock, folder), identity.folders)
        self.uplink = Uplink(identity.address, identity.name, identity.prefix, self._on_connected, self._on_message)
        self._config_topic = self.uplink.topic(topics.CONFIG)
        self.backlog = Backlog(clock)
        self.readings = Readings(self.uplink, clock, self.backlog)
        self.counts = KeptCounts(folder / "counts.json" if folder else None, clock)
        self.voice = Voice(self, clock)
        self.blocks = BlockQueue(self.loop, self.voice.block)
        self.edges = Edges(self.loop, self.voice.edge, self.voice.block, self.readings.accept)
        self.reports = Batches(self.loop, self._input, self.uplink.together)
        self._link = self._make_link() if apart else None
        self.outputs = self._link or self._make_outputs()
        self.inputs = {
            name: remote(name, interface, self._link.calls, self._link.edges)
            if self._link and not interface.divisible
            else interface
            for name, interface in self.hardware.interfaces.items()
        }
        self.samplers = {
            name: Sampler(name, Counting(name, interface, self.counts), clock, self.reports.put, self.blocks.put)
            for name, interface in self.inputs.items()
        }
        self.applied = AppliedState(self.boot, self.loop, clock, self.voice.applied)
        self.configuring = Configuring(
            self.hardware, self.samplers, self.outputs, self.applied, self.readings, self.loop
        )
        self.presence = Presence(self.uplink, self.loop, clock, self.boot, self.voice)
        self.late = Late(self.uplink, self.loop, clock, self.backlog, self._number, self.presence.beat)
        self.viewers = Viewers(self.loop, clock, self._look)
        self.inbox = Inbox(self, clock)
        self.stops = Stops(self, clock)

    def run(self) -> None:
        """Serve until `stop`; then outputs go where they are safe, lines are let go, and the broker is told."""
        log.info("%s: agent '%s' (boot %s)", software(), self.identity.name, self.boot)
        self.outputs.start()
        for sampler in self.samplers.values():
            sampler.start()
        stored = self._stored.load() if self._stored else None
        if stored:
            self.configure(stored)
        self._begin_to_connect(0.0)
        self.presence.start()
        self.loop.every(1.0, self.readings.repeat)
        self.loop.every(HEALTH, self.voice.health)
        self._begin_to_notify()
        try:
            self.loop.run()
        finally:
            self._end()

    def stop(self) -> None:
        """End `run`."""
        self.loop.stop()

    def leave(self) -> None:
        """End `run` and leave the outputs as they are, for an agent that begins within their leases."""
        self.leaving = True
        self.loop.stop()

    def accept(self, configuration: Configuration) -> None:
        """Bring a configuration from the bridge into force and keep it."""
        self.configure(configuration)
        if self._stored:
            self._stored.keep(configuration)

    def configure(self, configuration: Configuration) -> None:
        """Bring a configuration into force."""
        self.backlog.keep_only(kept(configuration))
        self.configuring.accept(configuration)
        self.presence.set_period(WITH_OUTPUTS if self.configuring.has_outputs else WITHOUT_OUTPUTS)

    def _begin_to_connect(self, waited: float) -> None:
        """Connect once the channels have answered: what is announced then is true. One that hangs is not waited for."""
        if (self.applied.settled and self.hardware.known) or waited >= 1.0:
            self.uplink.start()
        else:
            self.loop.after(0.02, lambda: self._begin_to_connect(waited + 0.02))

    def _begin_to_notify(self) -> None:
        watchdog = Watchdog()
        self.loop.post(watchdog.ready)
        if watchdog.period:
            self.loop.every(watchdog.period, watchdog.alive)

    # Other threads hand over what they have; everything below them runs on the loop.

    def _on_connected(self, number: int, connection: Connection) -> None:
        # Here, on the connection's thread, looking the broker's name up may take its time.
        found = board(self.identity.address, self._simulated())
        self.loop.post_newest("connected", lambda: self._connected(number, connection, found))

    def _on_message(self, number: int, message: Message) -> None:
        if self.stops.hear(message):
            return
        # A configuration is said once a connection: of too many messages it must not be the one that is dropped.
        key = "config" if message.topic == self._config_topic else None
        handle = partial(self.inbox.handle, number, message)
        if message.topic.endswith("/set") and self.loop.do_at_once(handle):
            return
        if not self.loop.post_after(handle, key):
            self.complaints.note("overload", "too many messages wait: the oldest are dropped")

    def output_reported(self, report: outputs.Report) -> None:
        """An output has something to tell."""
        order = report.id if isinstance(report, outputs.Outcome) else None
        action = partial(self._output, report)
        if order is not None and self.loop.do_at_once(action):
            return
        self.loop.post_newest((type(report), report.channel, order), action)

    def holder_up(self, held: list[ChannelId]) -> None:
        """The outputs' process is there, with these outputs from before."""
        self.loop.post(lambda: self._holder_up(held))

    def holder_down(self, reason: str) -> None:
        """The outputs' process is gone."""
        self.loop.post(lambda: self.configuring.outputs_down(reason))

    def holder_asks(self) -> None:
        """The outputs' process wants to know whether the loop is there."""
        self.loop.post_newest("pong", self._answer_holder)

    def _holder_up(self, held: list[ChannelId]) -> None:
        self.configuring.outputs_up(held)
        self.stops.outputs_up()

    def _answer_holder(self) -> None:
        if self._link:
            self._link.pong()

    def _connected(self, number: int, connection: Connection, found: Board) -> None:
        self.voice.board = found
        self.readings.announced = False
        self.uplink.adopt(connection)
        self.presence.connected(number)

    def _input(self, report: Report) -> None:
        if isinstance(report, Looked):
            self._looked(report)
            return
        if isinstance(report, Released):
            self.blocks.forget(report.channel)
            self.edges.forget(report.channel)
            self.configuring.released(report.channel)
            return
        wanted = self.configuring.input(report.channel)
        if wanted is None:
            return  # it was released meanwhile
        match report:
            case Reading():
                self.applied.note(report.channel)
                self.edges.overtake(report.channel)
                self.readings.accept(report.channel, report.raw, wanted.deadband)
            case EdgeSeen():
                if not self.edges.take(report.channel, report.edge, wanted.events):
                    self.readings.accept(report.channel, report.edge.raw)
            case Trouble():
                self.edges.forget(report.channel)
                self.applied.note(report.channel, report.error)
                self.readings.fail(report.channel)

    def _output(self, report: outputs.Report) -> None:
        if isinstance(report, outputs.Closed):
            self.configuring.released(report.channel)
        elif isinstance(report, outputs.Outcome):
            if report.became:
                self._output(report.became)
            self.inbox.finish(report)
        elif self.configuring.output(report.channel) is None:
            return
        elif isinstance(report, outputs.Broken):
            self.applied.note(report.channel, report.error)
            self.readings.fail(report.channel)
        else:
            self.readings.accept(report.channel, report.raw)
            self.applied.note(report.channel, None, report.fail_safe, report.last_fail_safe)

    def _look(self, watching: bool) -> None:
        for sampler in self.samplers.values():
            sampler.watch(watching)

    def _looked(self, report: Looked) -> None:
        """An interface was looked at: what it can do may have changed."""
        before = self.hardware.capabilities()
        self.hardware.note(report.interface, report.channels, report.error, report.fastest)
        if self.hardware.capabilities() != before:
            self.voice.capabilities()
            self.configuring.review()

    def _number(self) -> int | None:
        """The present connection, None while it is not ours to speak on."""
        return self.presence.number if self.presence.announcing else None

    def _make_link(self) -> Link:
        identity = self.identity
        folder = str(identity.folder) if identity.folder else None
        folders = [str(each) for each in identity.folders]
        hello = Hello(software(), identity.interfaces, folders, digest_of(identity.folders), folder)
        return Link(identity.name, hello, self)

    def _make_outputs(self) -> Outputs:
        folder = self.identity.folder
        memory = LastOutputs(folder / "outputs.json" if folder else None, self._clock)
        return Outputs(self.hardware.interfaces, self._clock, memory, self.output_reported)

    def _simulated(self) -> bool:
        return all(each.driver == "simulated" for each in self.identity.interfaces.values())

    def _end(self) -> None:
        if self.leaving and self._link:
            self._link.leave()
        else:
            self.outputs.stop(LAST_WORDS)
        self.loop.drain()  # the last raws of the outputs
        for sampler in self.samplers.values():
            sampler.stop(LAST_WORDS / len(self.samplers))
        self.counts.finish(LAST_WORDS)
        self.voice.goodbye()
        # A broker that does not answer must not keep us: the last will speaks for us then.
        goodbye = threading.Thread(target=self.uplink.stop, name="goodbye", daemon=True)
        goodbye.start()
        goodbye.join(LAST_WORDS)
        if self._stored:
            self._stored.finish(LAST_WORDS)
        log.info("agent '%s' has ended", self.identity.name)
