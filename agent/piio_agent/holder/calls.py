"""Calls that are on their way to the holder, each with somebody who waits for its answer."""

import itertools
import secrets
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec

from piio_agent.holder.messages import Call, Method, Return
from piio_agent.interfaces.errors import InterfaceError, NoReading, NotSupported

GONE = "the outputs' process has ended and is being started anew"


class Say(Protocol):
    """Sends a message to the holder."""

    def __call__(self, message: msgspec.Struct) -> bool:
        """False: there is none."""
        ...


class Calls:
    """Waits for answers on the threads that call; they come in on the link's."""

    def __init__(self, say: Say) -> None:
        self._say = say
        # Not from 0: an answer to an agent before us must not be taken for one of ours.
        self._ids = itertools.count(secrets.randbits(48))
        self._waiting: dict[int, Future[Return]] = {}

    def call(self, interface: str, method: Method, *arguments: Any, timeout: float | None = None) -> Any:
        """Call a method of an interface in the holder; raises what it raised, or that there is no holder."""
        call = Call(next(self._ids), interface, method, list(arguments))
        answer = self._waiting[call.id] = Future[Return]()
        try:
            if not self._say(call):
                raise InterfaceError(GONE)
            return value_of(answer.result(timeout))
        except TimeoutError:
            raise InterfaceError(f"{interface} does not answer") from None
        finally:
            self._waiting.pop(call.id, None)

    def answer(self, message: Return) -> None:
        """An answer has come; nobody may wait for it any more."""
        waiting = self._waiting.get(message.id)
        if waiting:
            waiting.set_result(message)

    def give_up(self) -> None:
        """The holder is gone, and answers nothing any more."""
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_result(Return(0, error=GONE))


def value_of(answer: Return) -> Any:
    """What a call gave; raises what it raised."""
    if answer.error is None:
        return answer.value
    kinds = {"unsupported": NotSupported, "nothing": NoReading, "failed": InterfaceError}
    raise kinds[answer.kind](answer.error)
