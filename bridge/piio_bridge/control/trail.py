"""The audit trail as the control plane tells it: who asked what, from where, and how it ended."""

from collections import OrderedDict

from msgspec import Struct

from piio_bridge.clock import Clock
from piio_bridge.store.audit import Audit
from piio_schemas.audit import BROKER, Acted, AuditEntry, Origin, What
from piio_schemas.commands import Set, Status
from piio_schemas.documents import decode
from piio_schemas.numbers import number_to_text
from piio_schemas.states import FailSafe
from piio_schemas.stopping import Stop

VOUCHED_FOR = 60.0
"""Seconds within which a set or request must follow what the web app said of it."""

MOST_VOUCHED = 10_000

LONGEST_NAME = 63
LONGEST_TEXT = 300


class Asked(Struct, frozen=True, kw_only=True):
    """What somebody asked, before it is known what becomes of it."""

    time: float
    board: str
    """Empty: all boards."""
    point: str | None = None
    what: What
    value: str = ""
    by: str | None
    id: str
    origin: Origin
    actor: Acted | None = None
    """Who it was, where the web app vouches for it."""


class Trail:
    """Joins what is asked with what the web app said of it, and hands each outcome to the audit."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._vouched: OrderedDict[str, tuple[float, Acted]] = OrderedDict()

    def hear_acted(self, payload: bytes) -> None:
        """Take whom the web app's next set or request is for; DocumentError if it does not say that."""
        acted = decode(payload, Acted)
        now = self._clock.boottime()
        self._vouched[acted.id] = (now, acted)
        while len(self._vouched) > MOST_VOUCHED or next(iter(self._vouched.values()))[0] < now - VOUCHED_FOR:
            self._vouched.popitem(last=False)

    def asked_set(self, board: str, point: str, id: str, payload: bytes, command: Set | None) -> Asked:
        """Note a set that has arrived; `command` is None where the payload is none."""
        origin: Origin = "echoed" if command and command.beacon else "plain"
        value = _described(command) if command else payload[:LONGEST_TEXT].decode("utf-8", "replace")
        by = command.by if command else None
        return Asked(
            time=self._clock.unix(), board=board, point=point, what="set", value=value, by=by, id=id, origin=origin,
            actor=self._taken(id),
        )  # fmt: skip

    def asked_request(self, board: str, what: What, by: str | None, id: str) -> Asked:
        """Note a request that has arrived."""
        now = self._clock.unix()
        return Asked(time=now, board=board, what=what, by=by, id=id, origin="request", actor=self._taken(id))

    def ended(self, asked: Asked, outcome: Status, reason: str, value: str | None = None) -> None:
        """Tell the audit what became of it, and what was changed where that is known only now."""
        actor = asked.actor
        self._audit.keep(
            AuditEntry(
                number=0, time=asked.time, board=_line(asked.board, LONGEST_NAME) or None,
                point=None if asked.point is None else _line(asked.point, LONGEST_NAME), what=asked.what,
                value=_line(asked.value if value is None else value),
                by=_line(actor.by if actor else asked.by or "", LONGEST_NAME), verified=actor is not None,
                origin="page" if actor else asked.origin,
                address=_line(actor.address if actor else BROKER, LONGEST_NAME), outcome=outcome,
                reason=_line(reason), id=_line(asked.id, LONGEST_NAME),
            )
        )  # fmt: skip

    def fail_safe(self, board: str, point: str, found: FailSafe, boot: str, at: float) -> None:
        """Tell the audit that a board drove an output safe; the board's time and boot tell it from any other."""
        self._audit.keep(
            AuditEntry(
                number=0, time=at or self._clock.unix(), board=board, point=point, what="fail_safe", origin="board",
                outcome="done", reason=_line(found.reason), id=_line(f"{found.time:.3f} {boot}", LONGEST_NAME),
            )
        )  # fmt: skip

    def stopped(self, board: str, stop: Stop) -> None:
        """Tell the audit that somebody stopped a board, or all (an empty name).

        It went to the agents directly: each output that it drives safe is an entry of its own, a fail-safe.
        """
        actor = self._taken(stop.id)
        asked = Asked(
            time=self._clock.unix(), board=board, what="stop", by=stop.by, id=stop.id, origin="plain", actor=actor
        )
        self.ended(asked, "done", "")

    def _taken(self, id: str) -> Acted | None:
        """Return what was said of an id, once: whoever uses the id again is somebody else."""
        at, acted = self._vouched.pop(id, (0.0, None))
        return acted if self._clock.boottime() - at <= VOUCHED_FOR else None


def _described(command: Set) -> str:
    wanted = command.wanted
    text = wanted.upper() if isinstance(wanted, str) else number_to_text(wanted)
    return text if command.pulse is None else f"{text} for {number_to_text(command.pulse)} s"


def _line(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return text as one line that fits, in characters that every database takes and no terminal obeys."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return line if len(line) <= longest else line[: longest - 1] + "…"
