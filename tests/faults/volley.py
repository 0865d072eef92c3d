"""Sets fired while something is wrong, each at a line of its own, and what the board's trace says became of them."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

import piio
from piio.connection import Connection
from piio.errors import NotConnected
from piio.session import BEACON_AGE
from piio_schemas.commands import DEFAULT_TTL, GRACE, SetResult
from tests.faults.parts import LINES
from tests.webapp.stage import Page
from tests.witness import Witness

Kind = Literal["echoed", "plain", "echoed for long", "plain for long"]

TTL = {"echoed": 2.0, "plain": 2.0, "echoed for long": 5.0, "plain for long": 5.0}
"""Seconds that each kind of set may be old when it acts."""

KINDS: tuple[Kind, ...] = ("echoed", "plain", "echoed for long", "echoed", "plain", "plain for long")


class Shot(Struct):
    """A set that asks one line to be on."""

    kind: Kind
    line: int
    id: str
    sent: float
    """On CLOCK_MONOTONIC, which the board's trace has, too."""
    code: int | None = None
    """The broker's answer."""
    refused: bool = False
    """Whether it was refused to be sent at all."""

    @property
    def point(self) -> str:
        """The point of its line."""
        return f"s{self.line:02}"


class Question(threading.Thread):
    """A set that our own client sends and waits for."""

    def __init__(self, client: piio.Client, line: int) -> None:
        super().__init__(name=f"a client's set of line {line}")
        self.shot = Shot("echoed", line, "", time.monotonic())
        self.result: SetResult | None = None
        self.took = 0.0
        self._client = client
        self.start()

    def run(self) -> None:
        """Ask, and note what came of it and when."""
        self.result = self._client.set(f"demo/{self.shot.point}", 1)
        self.took = time.monotonic() - self.shot.sent


class Volley:
    """Fires from a connection, and asks by our own client when there is one.

    The echoes are those of the newest beacon that the witness has heard.
    """

    def __init__(
        self, witness: Witness, connection: Connection | None = None, client: piio.Client | None = None
    ) -> None:
        self._witness = witness
        self._connection: Any = connection
        self._client = client
        self._lines = iter(LINES)
        self.shots: list[Shot] = []
        self.questions: list[Question] = []

    def fire(self, kind: Kind) -> Shot:
        """Send one set, to the next line."""
        line = next(self._lines)
        shot = Shot(kind, line, secrets.token_hex(6), time.monotonic())
        self.shots.append(shot)
        self._send(shot)
        return shot

    def fire_for(self, seconds: float, *kinds: Kind) -> None:
        """Fire through a fault of this length: densely in its first two seconds, where a set is not old yet."""
        begun = time.monotonic()
        moments = [0.15 * number for number in range(12)] + [2.0, 2.5, 3.2, 4.4, 6.0, 9.0]
        for kind, moment in zip(_around(kinds or KINDS), moments, strict=False):
            if moment >= seconds:
                break
            _pass_time(begun + moment)
            self.fire(kind)
            if self._client and len(self.questions) < 2:
                self.questions.append(Question(self._client, next(self._lines)))
        _pass_time(begun + seconds)

    def wait_until_told(self, swallowed: bool = False, within: float = 12.0) -> None:
        """Wait until every sender knows what became of the set, or that nobody was there to take it.

        `swallowed`: a broken link may have taken sets with it. Then the answer is that none came in time.
        """
        patience = 0.0 if swallowed else within
        try:
            self._witness.wait(lambda _: all(self._told(shot, patience) for shot in self.shots), within + patience)
        except AssertionError:
            silent = [shot for shot in self.shots if not self._told(shot, within)]
            raise AssertionError(f"nobody told what became of {silent}") from None

    def verdicts(self) -> list[tuple[Shot, float | None, Any]]:
        """Return each set, the age at which its line moved (None: it never did), and the result that was told."""
        moves = self._witness.moves()
        return [(shot, _age(shot, moves.get(str(shot.line), [])), self._result(shot)) for shot in self.shots]

    def check(self, swallowed: bool = False) -> list[tuple[Shot, float | None, Any]]:
        """Nothing acted late, what acted was not denied, and what was said to be done was done."""
        self.wait_until_told(swallowed)
        self._check_questions()
        verdicts = self.verdicts()
        for shot, age, result in verdicts:
            story = f"{shot.kind} set of line {shot.line}, told {result}"
            assert age is None or age <= TTL[shot.kind], f"{story}: acted {age:.2f} s after it was sent"
            if result is not None and result["status"] in ("refused", "expired"):
                assert age is None, f"{story}, and acted all the same"
            if result is not None and result["status"] == "done":
                assert age is not None, f"{story}, and nothing moved"
        return verdicts

    def _check_questions(self) -> None:
        for question in self.questions:
            question.join(10)
            assert question.result is not None, f"our client never told what became of {question.shot}"
            assert question.took < BEACON_AGE + DEFAULT_TTL + GRACE + 0.5, question.took
            age = _age(question.shot, self._witness.moves().get(str(question.shot.line), []))
            assert age is None or age <= DEFAULT_TTL, f"{question.result} acted after {age} s"
            assert age is not None or question.result.status != "done", f"{question.result}, and nothing moved"

    def _send(self, shot: Shot) -> None:
        def acknowledged(code: int) -> None:
            shot.code = code

        topic = f"piio/demo/value/{shot.point}/set"
        try:
            self._connection.publish(topic, self._payload(shot), 1, on_acknowledged=acknowledged)
        except NotConnected:
            shot.refused = True

    def _payload(self, shot: Shot) -> str:
        if shot.kind == "plain":
            return "1"
        document: dict[str, Any] = {"value": 1, "id": shot.id, "ttl": TTL[shot.kind]}
        if shot.kind.startswith("echoed"):
            document["beacon"] = self._witness.newest_beacon()
        return json.dumps(document)

    def _told(self, shot: Shot, patience: float) -> bool:
        nobody = shot.code is not None and shot.code >= 0x10
        lost = shot.code is None and not self._connection.connected
        silence = time.monotonic() - shot.sent > TTL[shot.kind] + GRACE and not patience
        return nobody or lost or silence or shot.refused or self._result(shot) is not None

    def _result(self, shot: Shot) -> Any:
        told = self._witness.told.get(shot.point, [])
        return next((result for at, result in told if at >= shot.sent and self._is_of(shot, result)), None)

    def _is_of(self, shot: Shot, result: Any) -> bool:
        return shot.kind == "plain" or result["id"] == shot.id


class PageVolley(Volley):
    """Fires from a page of the web app, which hears there what became of each set."""

    def __init__(self, witness: Witness, page: Page) -> None:
        super().__init__(witness)
        self._page = page

    def wait_until_told(self, swallowed: bool = False, within: float = 12.0) -> None:  # noqa: ARG002
        """Wait until the page has an answer to each set."""
        self._page.wait(lambda: all(shot.id in self._page.answers for shot in self.shots), "all answers", within)

    def _send(self, shot: Shot) -> None:
        content = {"id": shot.id, "agent": "demo", "point": shot.point, "value": 1, "tick": self._page.tick}
        self._page.say("set", content)
        self._page.hear(0.02)

    def _result(self, shot: Shot) -> Any:
        return self._page.answers.get(shot.id)


def _age(shot: Shot, moves: list[Any]) -> float | None:
    times = (move["mono_ns"] / 1e9 for move in moves if move["level"] == 1)
    return next((at - shot.sent for at in times if at >= shot.sent), None)


def _around(kinds: tuple[Kind, ...]) -> Iterator[Kind]:
    while True:
        yield from kinds


def _pass_time(until: float) -> None:
    """Let time pass: it is the subject of these tests."""
    time.sleep(max(0.0, until - time.monotonic()))
