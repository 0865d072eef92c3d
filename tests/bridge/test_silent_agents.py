"""When the bridge says `offline` for an agent: after a silence that it could have heard."""

from typing import Any, cast

import pytest

from piio_bridge.control.board import BoardRecord
from piio_bridge.control.outbox import Outbox
from piio_bridge.control.presence import Presence
from piio_bridge.control.trail import Trail
from piio_bridge.data.board import HeardBeacon
from piio_bridge.data.plane import DataPlane
from piio_bridge.store.configurations import Configurations
from piio_schemas.beacons import Beacon
from piio_schemas.topics import STATUS


class Bench:
    """A bridge with one board that was online, a clock turned by hand, and what it hears on its data connection."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.listening_since: float | None = self.now
        self.heard: HeardBeacon | None = None
        self.said: list[str] = []
        board = BoardRecord("demo")
        plane, outbox, trail = cast(DataPlane, self), cast(Outbox, self), cast(Trail, None)
        self.presence = Presence({"demo": board}, cast(Configurations, None), plane, outbox, trail, self, "piio")
        self.presence.connected()
        self.presence.hear(STATUS, "demo", b"online")

    def order(self, _: Any) -> None:
        """The readings are of no interest here."""

    def boottime(self) -> float:
        return self.now

    def unix(self) -> float:
        return 1.7e9 + self.now

    def beacon_of(self, _: str) -> HeardBeacon | None:
        return self.heard

    def send(self, topic: str, payload: str, *_: Any) -> bool:
        self.said.append(f"{topic} {payload}")
        return True

    def hear(self) -> None:
        self.heard = HeardBeacon(Beacon("boot", 1, 1.0, 1.0), self.now)

    def reconnect_data(self) -> None:
        self.listening_since, self.heard = self.now, None

    def pass_time(self, seconds: int, beating: bool = False) -> None:
        for _ in range(seconds):
            self.now += 1
            if beating:
                self.hear()
            self.presence.own_beacon_heard()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_agent_that_falls_silent_for_ten_seconds_is_offline(bench: Bench) -> None:
    bench.pass_time(20, beating=True)
    bench.pass_time(10)
    assert bench.said == []
    bench.pass_time(1)
    assert bench.said == ["piio/demo/status offline"]


def test_a_data_connection_that_is_made_anew_makes_nobody_offline(bench: Bench) -> None:
    bench.pass_time(60, beating=True)
    bench.reconnect_data()
    bench.pass_time(9)
    bench.pass_time(20, beating=True)
    assert bench.said == []


def test_nobody_is_offline_while_nobody_could_be_heard(bench: Bench) -> None:
    bench.pass_time(20, beating=True)
    bench.listening_since = bench.heard = None
    bench.pass_time(30)
    assert bench.said == []
