"""Carrying a page's sets and requests to the bridge, and the outcomes back."""

import math
import secrets
from collections.abc import Callable
from typing import Any

from msgspec import Struct, to_builtins

from piio.errors import PiioError
from piio_schemas import topics
from piio_schemas.audit import Acted
from piio_schemas.commands import DEFAULT_TTL, Set, SetResult
from piio_schemas.documents import DocumentError, as_model, encode
from piio_schemas.roles import Role, may_act_as
from piio_webapp.board_cache import BoardCache
from piio_webapp.broker import Broker
from piio_webapp.events import ROUTES, Ask, PageSet
from piio_webapp.people import Who

Tell = Callable[[Any], None]

LONGEST_ADDRESS = 64


class Actor(Struct, frozen=True):
    """Who asks, and where that person's browser is."""

    who: Who
    address: str

    def acts(self, id: str) -> Acted:
        """Return what the bridge is told before a set or request of this id."""
        return Acted(id=id, by=self.who.name, address=self.address[:LONGEST_ADDRESS])


class Requests:
    """What people ask through their pages; `tell` gets the outcome, at once or later, on any thread."""

    def __init__(self, broker: Broker, cache: BoardCache) -> None:
        self._broker = broker
        self._cache = cache

    def set(self, actor: Actor, wanted: PageSet, tell: Tell) -> None:
        """Ask a point for a value, unless the page is too old, the person may not or the bridge is not there."""
        id, who = f"web-{secrets.token_hex(8)}", actor.who

        def done(result: SetResult) -> None:
            tell({"id": wanted.id, **{key: value for key, value in to_builtins(result).items() if key != "id"}})

        status, reason = self._judged(who, wanted)
        if status:
            done(SetResult(id=id, status=status, reason=reason))  # type: ignore[arg-type]  # refused or expired
            return
        command = Set(
            value=wanted.value, id=id, ttl=DEFAULT_TTL, pulse=wanted.pulse, by=who.name,
            beacon=self._cache.bridge_echo(DEFAULT_TTL),
        )  # fmt: skip
        if command.beacon is None:
            done(SetResult(id=id, status="refused", reason="the bridge is not there: nothing was sent"))
            return
        topic = topics.VALUE_SET.at(self._broker.prefix, agent=wanted.agent, point=wanted.point)
        try:
            self._broker.set(topic, encode(command), actor.acts(id), DEFAULT_TTL, done)
        except PiioError as error:
            done(SetResult(id=id, status="refused", reason=str(error)))

    def ask(self, actor: Actor, asked: Ask, tell: Tell) -> None:
        """Carry a request in the name of the person; what it says itself about who asks is overwritten."""

        def failed(message: str) -> None:
            tell({"id": asked.id, "answer": {"ok": False, "error": {"message": message}}})

        route, who = ROUTES[asked.verb], actor.who
        if not may_act_as(who.role, route.role):
            failed(f"this needs the role {route.role}; you are {who.role}")
            return
        if "agent" in route.topic.levels and asked.agent is None:
            failed("say which board")
            return
        try:
            request = as_model({**asked.body, "by": who.name}, route.model)
            topic = route.topic.at(self._broker.prefix, agent=asked.agent or "")
            acts = actor.acts if route.acts else None
            self._broker.request(topic, request, lambda answer: tell({"id": asked.id, "answer": answer}), acts)
        except (DocumentError, PiioError) as error:
            failed(str(error))

    def _judged(self, who: Who, wanted: PageSet) -> tuple[str, str]:
        if not may_act_as(who.role, Role.OPERATOR):
            return "refused", f"setting needs the role operator; you are {who.role}"
        if not math.isfinite(wanted.value):
            return "refused", "the value is not a number"
        if wanted.tick.age == math.inf:
            return "refused", "the web app has started anew since: try again"
        if wanted.tick.age > DEFAULT_TTL:
            return "expired", f"the page was {wanted.tick.age:.1f} s behind: nothing was sent"
        return "", ""
