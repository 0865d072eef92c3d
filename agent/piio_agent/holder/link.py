"""The agent's end: it starts a holder, or takes over the one that is there, and starts another should that one fail."""

import itertools
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec

from piio_agent.channel import ChannelId
from piio_agent.holder import door
from piio_agent.holder.messages import (
    Call,
    EdgeSeen,
    Hello,
    Leaving,
    Method,
    Ping,
    Pong,
    Return,
    Said,
    ToAgent,
    Welcome,
)
from piio_agent.holder.wire import Wire
from piio_agent.interfaces.contract import OnEdge
from piio_agent.interfaces.errors import InterfaceError, NoReading, NotSupported
from piio_agent.outputs import messages as outputs

log = logging.getLogger(__name__)

SILENCE = 3.0
"""Seconds without a ping after which a holder is ended and another one started."""

START = 10.0
"""Seconds that a holder may take to come up; a small board needs its time."""

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
"""Seconds between two starts."""

LOG = "outputs.log"
LONGEST_LOG = 1_000_000  # bytes

_GONE = "the outputs' process has ended and is being started anew"


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
    """One holder at a time. `send` and `call` may come from any thread; what is sent while there is none is lost.

    After `holder_up` everything has to be said again: outputs that are held already are not touched by that.
    """

    def __init__(self, name: str, hello: Hello, listener: Listener) -> None:
        self._name = name
        self._hello = hello
        self._listener = listener
        self._folder = Path(hello.folder) if hello.folder else Path(tempfile.mkdtemp(prefix="piio-"))
        self._wire: Wire[ToAgent] | None = None
        self._calls: dict[int, Future[Any]] = {}
        self._ids = itertools.count()
        self._watchers: dict[ChannelId, OnEdge] = {}
        self._edges: queue.SimpleQueue[EdgeSeen] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._up = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outputs", daemon=True)

    def start(self) -> None:
        """Have a holder, or after some seconds none yet."""
        self._thread.start()
        threading.Thread(target=self._deliver_edges, name="edges of the holder", daemon=True).start()
        if not self._up.wait(START):
            log.error("the outputs' process does not come up")

    def send(self, message: outputs.Message) -> bool:
        """Hand a message to the outputs; False: there is nobody to take it."""
        wire = self._wire
        return wire is not None and wire.send(message)

    def pong(self) -> None:
        """Tell the holder that the agent's loop is there; from that loop."""
        self._say(Pong())

    def leave(self) -> None:
        """Go, and leave the outputs as they are for the next agent: it has to come within their leases."""
        self._stopping.set()
        self._say(Leaving())
        self._close()

    def stop(self, timeout: float) -> bool:
        """Have all outputs driven safe and let go; False if that took too long."""
        self._stopping.set()
        if self._thread.is_alive():
            self._say(outputs.Stop())
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def call(self, interface: str, method: Method, *arguments: Any, timeout: float | None = None) -> Any:
        """Call a method of an interface in the holder; raises what it raised, or that there is no holder."""
        call = Call(next(self._ids), interface, method, list(arguments))
        answer = self._calls[call.id] = Future[Any]()
        try:
            if not self._say(call):
                raise InterfaceError(_GONE)
            return _value(answer.result(timeout))
        except TimeoutError:
            raise InterfaceError(f"{interface} does not answer") from None
        finally:
            self._calls.pop(call.id, None)

    def watch(self, channel: ChannelId, on_edge: OnEdge | None) -> None:
        """Hand the edges of a channel to this watcher from now on, or to nobody."""
        if on_edge:
            self._watchers[channel] = on_edge
        else:
            self._watchers.pop(channel, None)

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
                self._listener.holder_down(f"{_GONE}: {reason}")
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
        if connection is None:
            self._spawn()
            connection = door.knock(self._folder)
        if connection is None:
            raise OSError(f"{self._folder}: nobody listens at {door.NAME}")
        return Wire(connection, ToAgent)

    def _greet(self, wire: Wire[ToAgent]) -> Welcome:
        """Say who we are; a holder that was made for other hardware, or by other software, is ended first."""
        wire.send(self._hello)
        while not isinstance(answer := wire.receive(START), Welcome):
            if answer is None:
                raise OSError("it has ended at once")
        if not answer.fits:
            log.info("the hardware or the software is another one now: the outputs are let go")
            wire.send(outputs.Stop())
            while wire.receive(START):
                pass
            raise OSError("it was made for other hardware")
        return answer

    def _spawn(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PIIO_PASSWORD"}
        self._folder.mkdir(parents=True, exist_ok=True)
        with door.build(self._folder) as listener, _open_log(self._folder / LOG) as file:
            descriptor = listener.fileno()
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "piio_agent.holder", self._name, str(descriptor)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                # Not ours: whoever reads that would wait for its end, and it outlives us.
                stderr=file,
                pass_fds=[descriptor],
                start_new_session=True,  # so that what ends the agent does not end it
            )

    def _take(self, message: ToAgent) -> None:
        match message:
            case Ping():
                self._listener.holder_asks()
            case Return():
                call = self._calls.get(message.id)
                if call:
                    call.set_result(message)
            case EdgeSeen():
                self._edges.put(message)
            case Said():
                log.log(message.level, "%s", message.text)
            case Welcome():
                pass
            case _:
                self._listener.output_reported(message)

    def _deliver_edges(self) -> None:
        """On a thread of its own: a watcher may call, and the answer comes on the link's."""
        while True:
            seen = self._edges.get()
            on_edge = self._watchers.get(seen.channel)
            try:
                if on_edge:
                    on_edge(seen.edge)
            except Exception:
                log.exception("an edge of %s was not handled", seen.channel)

    def _close(self) -> None:
        wire, self._wire = self._wire, None
        if wire:
            wire.close()
        for call in list(self._calls.values()):
            if not call.done():
                call.set_result(Return(0, error=_GONE))

    def _end_process(self) -> None:
        """Have a holder of ours that has ended be no zombie."""
        if self._process and self._process.poll() is None and not self._stopping.is_set():
            self._process.wait(START)


def _value(answer: Return) -> Any:
    if answer.error is None:
        return answer.value
    kinds = {"unsupported": NotSupported, "nothing": NoReading, "failed": InterfaceError}
    raise kinds[answer.kind](answer.error)


def _open_log(path: Path) -> BinaryIO:
    """Open the log of a new holder; a long one begins anew, one that cannot be written goes nowhere."""
    try:
        long = path.exists() and path.stat().st_size > LONGEST_LOG
        return path.open("wb" if long else "ab")
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror)
        return Path(os.devnull).open("wb")
