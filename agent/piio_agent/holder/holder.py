"""The holder: it hears one agent, asks whether it is there, and sees to the outputs when it is not."""

import logging
import os
import select
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_agent.holder.hosted import Hosted
from piio_agent.holder.messages import Call, Hello, Leaving, Ping, Pong, Return, Said, ToHolder, Welcome
from piio_agent.holder.outbox import Outbox
from piio_agent.holder.start import bound_log
from piio_agent.holder.vigil import PATIENCE, PERIOD, Vigil
from piio_agent.holder.wire import Wire
from piio_agent.interfaces.contract import Context, Interface
from piio_agent.interfaces.door import drivers, make
from piio_agent.outputs import messages as outputs
from piio_agent.outputs.outputs import Outputs
from piio_agent.reasons import reason
from piio_agent.storage import LastOutputs

log = logging.getLogger(__name__)

LAST_WORDS = 0.5
"""Seconds that a driver may take at the end, and an agent to hear what came of it."""


class Holder:
    """Serves one agent after the other on the main thread; `run` ends when the outputs need nobody any more."""

    def __init__(self, listener: socket.socket, clock: Clock) -> None:
        self._listener = listener
        listener.listen(4)  # again: whoever connects is told that it is us, not who made the socket
        self._clock = clock
        self._hello: Hello | None = None
        self._outputs: Outputs | None = None
        self._hosted: dict[str, Hosted] = {}
        self._policies: dict[ChannelId, outputs.Policies] = {}
        self._wire: Wire[ToHolder] | None = None
        self._outbox: Outbox | None = None
        self._vigil = Vigil(clock.monotonic())
        self._ping_at = 0.0
        self._forsaken = False
        self._over = False
        logging.getLogger().addHandler(_ToAgent(self._tell))

    def run(self) -> None:
        """Hold what there is to hold."""
        while not self._over:
            waiting: list[Wire[ToHolder] | socket.socket] = [self._listener, *([self._wire] if self._wire else [])]
            ready = select.select(waiting, [], [], PERIOD)[0]
            if self._listener in ready:
                self._meet(self._listener.accept()[0])
            elif ready and self._wire:
                self._hear(self._wire)
            self._keep_watch()

    def _meet(self, connection: socket.socket) -> None:
        """An agent is there; it takes the place of the one before."""
        self._part()
        self._wire = Wire(connection, ToHolder)
        self._outbox = Outbox(self._wire)
        self._vigil.answered(self._clock.monotonic())
        self._forsaken = False

    def _part(self) -> None:
        """The agent is gone: nobody reads its inputs any more."""
        if self._wire and self._outbox:
            self._wire.close()
            self._outbox.close(0)
            self._wire = self._outbox = None
            for hosted in self._hosted.values():
                hosted.let_go()

    def _hear(self, wire: Wire[ToHolder]) -> None:
        try:
            message = wire.receive()
        except msgspec.MsgspecError as error:
            log.error("the agent says what no agent says: %s", error)
            message = None
        match message:
            case None:
                self._part()
            case Hello():
                self._greet(message)
            case Pong():
                self._vigil.answered(self._clock.monotonic())
                self._forsaken = False
            case Leaving():
                self._vigil.left(self._clock.monotonic() + self._longest_lease)
            case Call():
                self._call(message)
            case outputs.Stop():
                self._end()
            case _:
                self._pass_on(message)

    def _greet(self, hello: Hello) -> None:
        if self._outputs is None:
            self._begin(hello)
        self._tell(Welcome(os.getpid(), hello == self._hello, list(self._policies)))

    def _begin(self, hello: Hello) -> None:
        context = Context(self._clock, Path(hello.folder) if hello.folder else None)
        known = drivers(map(Path, hello.folders))
        interfaces: dict[str, Interface] = {}
        for name, settings in hello.interfaces.items():
            try:
                interfaces[name] = make(settings.driver, settings.options, context, known)
            except Exception as error:
                log.info("%s is not there: %s", name, reason(error))  # the agent says so, too
        memory = LastOutputs(context.folder / "outputs.json" if context.folder else None, self._clock)
        self._hello = hello
        self._hosted = {name: Hosted(name, interface, self._tell) for name, interface in interfaces.items()}
        self._outputs = Outputs(interfaces, self._clock, memory, self._tell)
        self._outputs.start()

    def _call(self, call: Call) -> None:
        hosted = self._hosted.get(call.interface)
        if hosted:
            hosted.call(call)
        else:
            self._tell(Return(call.id, error=f"{call.interface} is not there"))

    def _pass_on(self, message: outputs.Message) -> None:
        if self._outputs is None:
            return
        if isinstance(message, outputs.Open | outputs.Change):
            self._policies[message.channel] = message.policies
        elif isinstance(message, outputs.Close):
            self._policies.pop(message.channel, None)
        if not self._outputs.send(message) and isinstance(message, outputs.Order):
            self._tell(outputs.Outcome(message.id, message.channel, "failed", "too many writes wait"))

    def _keep_watch(self) -> None:
        now = self._clock.monotonic()
        if now >= self._ping_at:
            self._ping_at = now + PERIOD
            bound_log()
            if self._outbox:
                self._outbox.put(Ping(), Ping)
        if self._vigil.missing(now):
            self._do_without_agent()

    def _do_without_agent(self) -> None:
        if not self._forsaken and self._outputs:
            self._outputs.send(outputs.Forsaken(f"the agent's process has not answered for {PATIENCE:g} s"))
        self._forsaken = True
        if self._wire is None and not (self._found and self._holds):
            self._end()

    @property
    def _found(self) -> bool:
        """Whether an agent that is started again would find us."""
        return self._hello is not None and self._hello.folder is not None

    @property
    def _holds(self) -> bool:
        return any(each.on_lost == "hold" for each in self._policies.values())

    @property
    def _longest_lease(self) -> float:
        return max((each.lease for each in self._policies.values()), default=0.0)

    def _tell(self, message: msgspec.Struct) -> None:
        """Tell the agent, if there is one; of what an output is, and why it is not, only the newest."""
        outbox = self._outbox
        if outbox and isinstance(message, outputs.Became | outputs.Broken):
            outbox.put(message, ("state", message.channel))
        elif outbox:
            outbox.put(message)

    def _end(self) -> None:
        """Drive all outputs safe, let them go and end; who asked for it sees the connection end."""
        self._over = True
        if self._outputs and not self._outputs.stop(LAST_WORDS):
            log.error("a driver hangs: its outputs could not be driven safe")
        if self._outbox:
            self._outbox.close(LAST_WORDS)
        self._part()
        self._listener.close()


class _ToAgent(logging.Handler):
    """Has the agent say it in its log, too; ours is read by nobody who does not look for it."""

    def __init__(self, tell: Callable[[msgspec.Struct], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(Said(record.levelno, self.format(record)))
