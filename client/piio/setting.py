"""Setting a point, with a known outcome: done, or why not, and never later than said."""

import math
import secrets
import time
from typing import Any, cast

from msgspec import Struct

from piio.errors import NoAnswer, NotAllowed, NotConnected
from piio.session import BEACON_AGE, Session
from piio_schemas import topics
from piio_schemas.beacons import Echo
from piio_schemas.commands import GRACE, LEAST_TTL, SetError, SetResult, read_set
from piio_schemas.documents import encode


class Wish(Struct, frozen=True, kw_only=True):
    """What is wanted of a point."""

    board: str
    point: str
    value: float | bool | str
    ttl: float
    pulse: float | None = None
    by: str | None = None

    def check(self) -> None:
        """Raise SetError (a ValueError) if nobody could carry it out."""
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise SetError(f"value: {self.value} is not a number that can be set")
        read_set(encode(self._fields("check", self.ttl)))

    def payload(self, id: str, ttl: float, echo: Echo) -> bytes:
        """Return the set as it is sent: with an id, and bound to the beacon that it echoes."""
        return encode(self._fields(id, ttl) | {"beacon": echo})

    def _fields(self, id: str, ttl: float) -> dict[str, Any]:
        fields = {"value": self.value, "id": id, "ttl": ttl, "pulse": self.pulse, "by": self.by}
        return {name: value for name, value in fields.items() if value is not None}


def carry_out(session: Session, wish: Wish, timeout: float | None) -> SetResult:
    """Send a set and wait for its result; `timeout` bounds all of it, and shortens the ttl where it must."""
    id = secrets.token_hex(8)
    end = time.monotonic() + (timeout if timeout is not None else BEACON_AGE + wish.ttl + GRACE)
    try:
        echo = session.echo(min(BEACON_AGE, end - time.monotonic()))
        left = end - time.monotonic()
        ttl = min(wish.ttl, left - 0.3)
        if ttl < LEAST_TTL:
            return _failed(id, "no time was left: nothing was sent")
        return _send(session, wish, id, wish.payload(id, ttl, echo), min(ttl + GRACE, left))
    except NotAllowed as error:
        return SetResult(id=id, status="refused", reason=str(error))
    except (NotConnected, NoAnswer) as error:
        return _failed(id, str(error))


def _send(session: Session, wish: Wish, id: str, payload: bytes, within: float) -> SetResult:
    where = {"agent": wish.board, "point": wish.point}
    session.subscribe(topics.VALUE_RESULT.at(session.prefix, **where))
    with session.calls.expected(id) as result:
        heard = session.acknowledged(id, f"set '{wish.board}/{wish.point}'")
        topic = topics.VALUE_SET.at(session.prefix, **where)
        if session.connection.publish(topic, payload, 1, on_acknowledged=heard) is None:
            return _failed(id, "too many messages wait already: nothing was sent")
        try:
            return cast(SetResult, result.result(within))
        except TimeoutError as error:
            if isinstance(error, NoAnswer):
                raise
            return _failed(id, f"outcome unknown: no answer within {within:.1f} s")


def _failed(id: str, reason: str) -> SetResult:
    return SetResult(id=id, status="failed", reason=reason)
