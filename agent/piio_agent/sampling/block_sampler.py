"""The thread that samples channels of one interface into blocks."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from piio_agent.channel import ChannelId
from piio_agent.clock import NS, Clock
from piio_agent.interfaces.contract import Channel, Interface
from piio_agent.interfaces.errors import InterfaceError
from piio_agent.sampling.punctual import be_punctual
from piio_agent.sampling.stream import Stream
from piio_schemas.blocks import Block

log = logging.getLogger(__name__)

SHORT = 0.01
"""Seconds of a pause that is slept through, which is more punctual than a wait that an order can end."""

OnBlock = Callable[[ChannelId, Block], None]
OnFailure = Callable[[str, Exception], None]


class BlockSampler:
    """Samples open channels, each at its rate, those that are due together in one go.

    What is asked for is in force when the method returns. A channel that fails is left alone until it is begun again,
    and `on_failure` told; what it missed until then is counted. Both callbacks run on the thread.
    """

    def __init__(self, name: str, interface: Interface, clock: Clock, on_block: OnBlock, on_failure: OnFailure) -> None:
        self._name = name
        self._interface = interface
        self._clock = clock
        self._on_block = on_block
        self._on_failure = on_failure
        self._streams: dict[str, Stream] = {}
        self._active: list[Stream] = []
        self._wake = threading.Condition()
        self._orders: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None

    def begin(self, channel: str, rate: float, known: Channel | None) -> None:
        """Sample a channel from now on so many times a second, or again after it was paused or has failed."""
        self._do(lambda: self._begin(channel, rate, known))

    def pause(self, channel: str) -> None:
        """Leave a channel alone; what is missed until it is begun again, at the same rate, is counted as lost."""
        if channel in self._streams:
            self._do(lambda: self._pause(channel))

    def end(self, channel: str) -> None:
        """Sample a channel no more."""
        if channel in self._streams:
            self._do(lambda: self._end(channel))

    def newest(self, channel: str) -> float | None:
        """The newest sample of a channel since it was begun; None if there is none yet."""
        stream = self._streams.get(channel)
        return stream.newest if stream else None

    def stop(self) -> None:
        """Sample nothing any more, and end the thread."""
        for channel in list(self._streams):
            self.end(channel)
        if self._thread:
            self._do(self._leave)

    def _do(self, order: Callable[[], None]) -> None:
        """Have an order carried out by the thread, which is made by the first one, and wait for that."""
        done = threading.Event()

        def carry_out() -> None:
            try:
                order()
            finally:
                done.set()

        with self._wake:
            self._orders.append(carry_out)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"blocks {self._name}", daemon=True)
                self._thread.start()
            self._wake.notify()
        done.wait()

    def _begin(self, channel: str, rate: float, known: Channel | None) -> None:
        stream = self._streams.get(channel)
        if stream is None or stream.rate != rate:
            self._end(channel)
            id = ChannelId(self._name, channel)
            stream = Stream(channel, rate, known, self._clock, lambda block: self._on_block(id, block))
            self._streams[channel] = stream
        stream.newest = None
        if stream not in self._active:
            self._active.append(stream)

    def _pause(self, channel: str) -> None:
        stream = self._streams[channel]
        stream.finish()
        if stream in self._active:
            self._active.remove(stream)

    def _end(self, channel: str) -> None:
        if channel in self._streams:
            self._pause(channel)
            del self._streams[channel]

    def _leave(self) -> None:
        self._thread = None

    def _run(self) -> None:
        be_punctual()
        while self._thread is threading.current_thread():
            pause = self._until_due()
            if self._orders:
                self._orders.popleft()()
            elif pause is None or pause > 0:
                self._rest(pause)
            else:
                self._attempt()

    def _rest(self, pause: float | None) -> None:
        """Sleep until a sample is due, or just before, or there is an order; one that comes late may wait a little."""
        if pause is not None and pause < SHORT:
            time.sleep(pause)
            return
        with self._wake:
            if not self._orders:
                self._wake.wait(pause and pause - SHORT / 2)

    def _attempt(self) -> None:
        """Sample what is due; a mistake of ours must not end the thread, for all would look well then."""
        try:
            self._sample_due()
        except Exception as error:
            log.exception("%s could not be sampled", self._name)
            for stream in list(self._active):
                self._give_up(stream, error)

    def _until_due(self) -> float | None:
        """Seconds until the next sample; None if nothing is sampled."""
        if not self._active:
            return None
        return (min(stream.due for stream in self._active) - self._clock.monotonic_ns()) / NS

    def _sample_due(self) -> None:
        now = self._clock.monotonic_ns()
        due = [stream for stream in self._active if stream.due <= now]
        for stream in due:
            stream.catch_up(now)
        if not self._sample(due):
            # One that fails must not spoil its neighbours.
            for stream in due if len(due) > 1 else ():
                self._sample([stream])

    def _sample(self, due: list[Stream]) -> bool:
        """Take one sample of each; False if that failed, which only a single one is told of."""
        try:
            values = list(self._interface.sample([stream.channel for stream in due]))
            for stream, value in zip(due, values, strict=True):
                if not math.isfinite(value):
                    what = f"{self._name}/{stream.channel} gives {value}, which is no number"
                    raise InterfaceError(f"{what}: see to its wiring")
        except Exception as error:
            if len(due) == 1:
                self._give_up(due[0], error)
            return False
        for stream, value in zip(due, values, strict=True):
            stream.add(value)
        return True

    def _give_up(self, stream: Stream, error: Exception) -> None:
        self._pause(stream.channel)
        self._on_failure(stream.channel, error)
