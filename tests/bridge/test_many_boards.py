"""More boards than the broker sends at once, or than fit into memory one by one."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from piio.address import Address
from piio.backoff import Backoff
from piio_bridge.clock import SystemClock
from piio_bridge.control.alike import read_applied, read_capabilities
from piio_bridge.data.plane import DataPlane
from piio_bridge.data.readings import Readings
from piio_bridge.data.record import Record
from piio_bridge.leadership import Leadership
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from piio_schemas.documents import DocumentError, decode
from piio_schemas.states import Applied, Capabilities
from tests.bridge.peers import Board, Bridge, Broker, Peer

MANY = 400
"""Twenty times as many as this broker sends of QoS 1 before one is confirmed."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path)
    yield started
    started.kill()


def capabilities(name: str) -> dict[str, Any]:
    return {"agent": name, "boot": "b", "software": "test", "board": {}, "interfaces": Board.CAPABILITIES}


def test_a_bridge_whose_database_is_new_adopts_every_configuration_at_the_broker(
    broker: Broker, tmp_path: Path
) -> None:
    anna = Peer(broker, "piio/+/config", "piio/bridge/status")
    level = {"interface": "adc", "channel": "0", "direction": "input"}
    config = json.dumps({"store": "lost", "revision": 7, "epoch": 1, "points": {"level": level}, "displays": {}})
    names = [f"board{number}" for number in range(MANY)]
    anna.publish("piio/bridge/status", "offline", retain=True)  # as the bridge before has left it
    for name in names:
        anna.publish(f"piio/{name}/capabilities", capabilities(name), retain=True)
        anna.publish(f"piio/{name}/config", config, retain=True)
    bridge = Bridge(broker, tmp_path, leads=False)
    anna.wait("piio/bridge/status", b"online".__eq__, timeout=50)
    bridge.kill()
    said = {name: anna.heard_on(f"piio/{name}/config") for name in names}
    assert [name for name in names if b'"by":"adopted"' not in said[name][-1]] == []
    assert [name for name in names if any(b'"level"' not in payload for payload in said[name])] == []  # emptied
    anna.close()


def test_what_boards_have_alike_is_kept_once() -> None:
    one, two = (read_capabilities(json.dumps(capabilities(name)).encode()) for name in ("one", "two"))
    assert (one.agent, two.agent) == ("one", "two")
    assert one == decode(json.dumps(capabilities("one")).encode(), Capabilities)
    assert all(one.interfaces[name] is two.interfaces[name] for name in one.interfaces)
    points = {"store": "s", "revision": 3, "boot": "b", "points": {"a": {"ok": True}, "b": {"ok": False, "error": "x"}}}
    payload = json.dumps(points).encode()
    assert read_applied(payload) == decode(payload, Applied)
    assert read_applied(payload).points["a"] is read_applied(payload).points["a"]


@pytest.mark.parametrize(
    "interfaces",
    [b'{"gpio": 1}', b'{"gpio": {}, "gpio": {}}', b'{"gpio": {"driver": "x", "title": NaN, "ok": true}}', b"3", b"{"],
)
def test_capabilities_that_are_none_are_refused_as_any_other_document(interfaces: bytes) -> None:
    payload = b'{"agent": "a", "boot": "b", "software": "s", "board": {}, "interfaces": ' + interfaces + b"}"
    with pytest.raises(DocumentError) as strict:
        decode(payload, Capabilities)
    with pytest.raises(DocumentError) as ours:
        read_capabilities(payload)
    assert str(ours.value) == str(strict.value)


@pytest.mark.timeout(20)
def test_orders_of_many_boards_do_not_wait_for_a_data_plane_that_waits_itself() -> None:
    clock = SystemClock()
    readings = Readings("piio", clock, cast(Record, None))
    plane = DataPlane(Address("127.0.0.1", 1, "bridge"), readings, "piio", clock, cast(Leadership, None))
    for _ in range(10_000):
        plane.order(lambda _: None)


class Leads:
    """Who leads, and is never in doubt."""

    over = False

    def holds(self) -> bool:
        return True


@pytest.mark.timeout(20)
def test_the_data_plane_connects_when_the_control_plane_has_and_not_when_its_own_pause_is_over(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = threading.Event()
    monkeypatch.setattr(Backoff, "pause", lambda _: pauses.set() or 60.0)
    clock = SystemClock()
    readings = Readings("piio", clock, cast(Record, None))
    broker.kill()
    address = Address("127.0.0.1", broker.port, "bridge")
    with DataPlane(address, readings, "piio", clock, cast(Leadership, Leads())) as plane:
        assert pauses.wait(5)
        broker.start()
        plane.hurry()
        assert plane.wait_taken(plane.ask_whether_taken(), 10)
        assert plane.listening_since is not None


def test_an_outage_of_many_boards_is_a_gap_of_each_of_their_points(tmp_path: Path) -> None:
    names = [(f"board{number}", f"p{point}") for number in range(160) for point in range(8)]
    begun = int(time.time()) - 10
    with History(open_database(f"sqlite:///{tmp_path}/history.db")) as history:
        for second, good in ((1, True), (2, False), (5, True), (6, False)):
            for agent, point in names:
                history.vouch(agent, point, (begun + second) * 1000, good)
            history.flush()
        gaps = {tuple(history.gaps(agent, point, begun, begun + 9, 0.1)) for agent, point in names}
    assert gaps == {((begun + 2, begun + 5), (begun + 6, begun + 9))}
