"""The agent's end: it starts a holder, or takes over the one that is there, and starts another should that one fail."""

import logging
import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Protocol

import msgspec

from piio_agent.channel import ChannelId
from piio_agent.holder import door
from piio_agent.holder.calls import GONE, Calls
from piio_agent.holder.edge_relay import EdgeRelay
from piio_agent.holder.messages import EdgesSeen, Hello, Leaving, Ping, Pong, Return, Said, ToAgent, Welcome
from piio_agent.holder.start import start_holder
from piio_agent.holder.wire import Wire
from piio_agent.outputs import messages as outputs

log = logging.getLogger(__name__)

SILENCE = 3.0
"""Seconds without a ping after which a holder is ended and another one started."""

START = 10.0
"""Seconds that a holder may take to come up; a small board needs its time."""

END = 1.0
"""Seconds that a holder whose connection has ended may take to end itself."""

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
"""Seconds between two starts."""


class Listener(Protocol):
    """Whoever wants to know; called on the link's thread."""

    def holder_up(self, held: list[ChannelId]) -> None:
        """A holder is there, with these outputs from before."""
        ...

    def holder_down(self, reason: str) -> None:
        """It is gone; another one will be there soon."""
        ...

    def holder_asks(self) -> None:
        """Answer with `pong` from the agent's loop."""
        ...

    def output_reported(self, report: outputs.Report) -> None:
        """An output has something to tell."""
        ...


class Link:
    """One holder at a time. `send` may come from any thread; what is sent while there is none is lost.

    After `holder_up` everything has to be said again: outputs that are held already are not touched by that.
    """

    def __init__(self, name: str, hello: Hello, listener: Listener) -> None:
        self._name = name
        self._hello = hello
        self._listener = listener
        self._folder = Path(hello.folder) if hello.folder else Path(tempfile.mkdtemp(prefix="piio-"))
        self._wire: Wire[ToAgent] | None = None
        self.calls = Calls(self._say)
        self.edges = EdgeRelay()
        self._process: subprocess.Popen[bytes] | None = None
        self._new = True
        """Whether the holder was started by us, and may take its time to come up."""
        self._warned = False
        self._up = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)

    def start(self) -> None:
        """Have a holder, or after some seconds none yet."""
        self._thread.start()
        self.edges.start()
        if not self._up.wait(START):
            log.error("the outputs' process does not come up")

    def send(self, message: outputs.Message) -> bool:
        """Hand a message to the outputs; False: there is nobody to take it."""
        if isinstance(message, outputs.Open) and self._hello.folder is None and not self._warned:
            self._warned = True
            log.warning("no next agent will find these outputs: they are let go when this one ends; it needs a folder")
        return self._say(message)

    def pong(self) -> None:
        """Tell the holder that the agent's loop is there; from that loop."""
        self._say(Pong())

    def leave(self) -> None:
        """Go, and leave the outputs as they are for the next agent: it has to come within their leases."""
        self._stopping.set()
        self._say(Leaving())
        self._close()
        self.edges.stop()

    def stop(self, timeout: float) -> bool:
        """Have all outputs driven safe and let go; False if that took too long."""
        self._stopping.set()
        if self._thread.is_alive():
            self._say(outputs.Stop())
            self._thread.join(timeout)
            self.edges.stop()
        return not self._thread.is_alive()

    def _say(self, message: msgspec.Struct) -> bool:
        wire = self._wire
        return wire is not None and wire.send(message)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                reason = self._serve()
                pause = FIRST_PAUSE
            except (OSError, msgspec.MsgspecError) as error:
                reason = f"it does not start: {error}"
                pause = min(pause * 2, LONGEST_PAUSE)
            if not self._stopping.is_set():
                log.error("the outputs' process is lost: %s", reason)
                self._listener.holder_down(f"{GONE}: {reason}")
            self._end_process()
            self._stopping.wait(pause)

    def _serve(self) -> str:
        """Work with one holder until it is no more; returns why."""
        wire = self._reach()
        try:
            holder = self._greet(wire)
            self._wire = wire
            self._up.set()
            self._listener.holder_up(holder.held)
            return self._listen(wire, holder)
        finally:
            self._close()
            wire.close()

    def _listen(self, wire: Wire[ToAgent], holder: Welcome) -> str:
        try:
            while message := wire.receive(SILENCE):
                self._take(message)
        except TimeoutError:
            # One that stands still enforces nothing any more; its lines are taken again by the next.
            os.kill(holder.pid, signal.SIGKILL)
            return f"nothing was heard of it for {SILENCE:g} s"
        return "it has ended"

    def _reach(self) -> Wire[ToAgent]:
        connection = door.knock(self._folder)
        self._new = connection is None
        if connection is None:
            self._process = start_holder(self._name, self._folder)
            connection = door.knock(self._folder)
        if connection is None:
            raise OSError(f"{self._folder}: nobody listens at {door.NAME}")
        return Wire(connection, ToAgent)

    def _greet(self, wire: Wire[ToAgent]) -> Welcome:
        """Say who we are; a holder that was made for other hardware, or by other software, is ended first."""
        wire.send(self._hello)
        answer = self._hear_welcome(wire)
        if not answer.fits:
            log.info("the hardware or the software is another one now: the outputs are let go")
            wire.send(outputs.Stop())
            while wire.receive(START):
                pass
            raise OSError("it was made for other hardware")
        return answer

    def _hear_welcome(self, wire: Wire[ToAgent]) -> Welcome:
        try:
            while message := wire.receive(START if self._new else SILENCE):
                if isinstance(message, Welcome):
                    return message
        except TimeoutError:
            # It stands still since before we began.
            if wire.peer != os.getpid():
                os.kill(wire.peer, signal.SIGKILL)
            raise
        raise OSError("it has ended at once")

    def _take(self, message: ToAgent) -> None:
        match message:
            case Ping():
                self._listener.holder_asks()
            case Return():
                self.calls.answer(message)
            case EdgesSeen():
                self.edges.put(message.edges)
            case Said():
                log.log(message.level, "%s", message.text)
            case Welcome():
                pass
            case _:
                self._listener.output_reported(message)

    def _close(self) -> None:
        wire, self._wire = self._wire, None
        if wire:
            wire.close()
        self.calls.give_up()

    def _end_process(self) -> None:
        """See that a holder of ours that is lost has ended, and is no zombie."""
        if self._process is None or self._stopping.is_set():
            return
        try:
            self._process.wait(END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
