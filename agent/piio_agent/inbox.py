"""What arrives from the broker, and what the agent makes of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from piio.connection import Message
from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.holder.remote import Remote
from piio_agent.interfaces.errors import InterfaceError
from piio_agent.outputs.messages import Heard, Order, Outcome
from piio_agent.outside import Outside
from piio_agent.writes import Results, Situation, read_write, refusal
from piio_schemas import topics
from piio_schemas.beacons import Beacon, BridgeBeacon
from piio_schemas.commands import Write, WriteResult
from piio_schemas.configuration import Configuration, ConfigurationError, read_configuration
from piio_schemas.documents import DocumentError, decode, read_json
from piio_schemas.numbers import number_from_text, shown
from piio_schemas.requests import ViewersLease

if TYPE_CHECKING:
    from piio_agent.agent import Agent

log = logging.getLogger(__name__)


_FOR_WHO_IS_THERE = (topics.CONFIG, topics.RAW_SET, topics.SIM)


class Inbox:
    """Handles each message of the present connection by its row in the topic table; what is malformed is refused."""

    def __init__(self, agent: Agent, clock: Clock) -> None:
        self.clock_offset: float | None = None
        """Seconds our clock is ahead of the bridge's, its beacon's way included."""
        self._agent = agent
        self._clock = clock
        self._results = Results(clock)
        self._outside = Outside()
        self._held: Message | None = None

    def handle(self, number: int, message: Message) -> None:
        """Handle a message that came on a connection."""
        found = topics.match(message.topic, self._agent.identity.prefix)
        if found is None or number != self._agent.presence.number:
            return
        row, levels = found.topic, found.levels
        if row in _FOR_WHO_IS_THERE and not self._agent.presence.announcing:
            # Somebody of our name may be there: what is for it is not for us, and its configuration is not ours yet.
            self._held = message if row is topics.CONFIG else self._held
            return
        try:
            if row is topics.RAW_SET:
                self._write(ChannelId(levels["interface"], levels["channel"]), message)
            elif row is topics.BEACON:
                self._beacon(message)
            elif row is topics.BRIDGE_BEACON:
                self._bridge_beacon(message)
            elif row is topics.CONFIG:
                self._config(message.payload)
            elif row is topics.VIEWERS:
                self._viewer(levels["user"], message)
            elif row is topics.STATUS:
                self._agent.presence.heard_status(message.payload)
            elif row is topics.SIM:
                self._simulate(ChannelId(levels["interface"], levels["channel"]), message)
        except (DocumentError, ConfigurationError) as error:
            self._refuse(row.pattern, f"{message.topic} is not what it should be: {error}")

    def open_held(self) -> None:
        """Handle the configuration that came before we were known to be there."""
        held, self._held = self._held, None
        if held:
            self.handle(self._agent.presence.number, held)

    def finish(self, outcome: Outcome) -> None:
        """Publish and remember what became of a write."""
        self._answer(outcome.channel, WriteResult(
            id=outcome.id, status=outcome.status, reason=outcome.reason, read=outcome.read, rule=outcome.rule
        ))  # fmt: skip

    def _refuse(self, kind: str, text: str) -> None:
        self._agent.complaints.note(kind, text[:500])

    def _beacon(self, message: Message) -> None:
        beacon = decode(message.payload, Beacon)
        if message.retained:
            return
        if beacon.boot == self._agent.boot:
            self._agent.late.heard_own(beacon.tick)
        self._agent.presence.heard_beacon(beacon)

    def _bridge_beacon(self, message: Message) -> None:
        beacon = decode(message.payload, BridgeBeacon)
        if message.retained:
            return
        self._agent.outputs.send(Heard())
        self._agent.presence.heard_bridge(beacon)
        self._agent.late.heard_bridge(beacon)
        if beacon.time:
            self.clock_offset = round(self._clock.unix() - beacon.time, 3)

    def _config(self, payload: bytes) -> None:
        new = read_configuration(read_json(payload)) if payload else Configuration()
        now = self._agent.configuring.configuration
        ours = payload and new.store == now.store
        if ours and new.epoch < now.epoch:
            self._refuse(
                "older", f"epoch {new.epoch} is an older bridge's than {now.epoch}, whose word is in force: ignored"
            )
        elif ours and new.revision < now.revision:
            self._refuse("older", f"revision {new.revision} is older than {now.revision}, which is in force: ignored")
        elif new != now:
            log.info("configuration %s, revision %d, epoch %d", new.store or "without a store", new.revision, new.epoch)
            self._agent.accept(new)

    def _viewer(self, user: str, message: Message) -> None:
        lease = decode(message.payload, ViewersLease)
        if not message.retained:
            self._agent.viewers.lease(user, lease.seconds)

    def _simulate(self, id: ChannelId, message: Message) -> None:
        interface = self._agent.inputs.get(id.interface)
        payload = message.payload.strip()

        def refuse(why: str) -> None:
            self._agent.loop.post(lambda: self._refuse("sim", f"sim/{id} {shown(payload)}: {why}"))

        try:
            if message.retained:
                raise ValueError("it was retained: the outside world does not repeat itself")
            if interface is None:
                raise ValueError(f"this board has no interface '{id.interface}'")
            raw = None if payload == b"z" else number_from_text(payload)
            if isinstance(interface, Remote):
                # Its process may take its time, for which the loop must not wait.
                self._outside.move(interface, id.channel, raw, refuse)
            else:
                interface.simulate(id.channel, raw)
        except (InterfaceError, ValueError) as error:
            refuse(str(error))

    def _write(self, id: ChannelId, message: Message) -> None:
        write = read_write(message.payload)
        if isinstance(write, str):
            self._refuse("write", f"{message.topic} is not a write: {write}")
        elif not self._results.begin(id, write.id):
            known = self._results.of(id, write.id)
            if known:
                self._agent.voice.result(id, known)
        elif isinstance(write, WriteResult):
            self._answer(id, write)
        else:
            self._judge(id, write, message.retained)

    def _judge(self, id: ChannelId, write: Write, retained: bool) -> None:
        agent = self._agent
        situation = Situation(
            boot=agent.boot,
            connection=agent.presence.number,
            configuration=agent.configuring.configuration,
            output=agent.configuring.output(id),
            channel=agent.hardware.channel(*id),
        )
        refused = refusal(write, retained, situation, self._clock.boottime())
        tick = write.beacon.tick
        order = Order(write.id, id, write.value, tick + write.ttl, write.pulse, echoes=tick)
        if refused:
            self._answer(id, refused)
        elif not agent.configuring.in_force(id):
            # What it means may be the opposite of what the line, as it still is, would do.
            self._answer(id, WriteResult(id=write.id, status="failed", reason="its new settings are not in force yet"))
        elif not agent.outputs.send(order):
            self._answer(id, WriteResult(id=write.id, status="failed", reason="too many writes wait"))

    def _answer(self, id: ChannelId, result: WriteResult) -> None:
        self._results.finish(id, result)
        self._agent.voice.result(id, result)
