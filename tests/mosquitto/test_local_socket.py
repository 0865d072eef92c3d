"""Programs on the broker's own machine reach it by a socket file, with the same rights as by its port."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from piio.address import Address
from piio.connection import Connection, Message
from piio.errors import NotConnected
from piio.local_socket import local_socket
from tests.mosquitto.conftest import House, wait_for


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A house that nobody else is in."""
    opened = House(tmp_path / "var")
    yield opened
    opened.close()


def address(house: House, name: str, password: str) -> Address:
    path = local_socket(house.state)
    assert path is not None
    return Address(str(path), user=name, password=password, unix=True)


def test_who_comes_by_the_socket_file_is_known_and_may_what_it_may(own: House) -> None:
    heard: list[Message] = []
    guest = own.bridge()
    guest.subscribe("piio/bench/value/tank")
    with Connection(address(own, "bridge", own.secret("bridge")), heard.append) as bridge:
        bridge.subscribe([("piio/bench/config/set", 1)])
        bridge.publish("piio/bench/value/tank", b"62.5", 1)
        assert guest.wait(lambda: guest.heard == [("piio/bench/value/tank", "62.5")])
        guest.publish("piio/bench/config/set", "{}")
        assert wait_for(lambda: [message.payload for message in heard] == [b"{}"])
    viewer = own.add("vera", "viewer")
    with Connection(address(own, "vera", viewer), heard.append) as vera:
        assert vera.connected
        vera.publish("piio/bench/config/set", b"not hers", 1)
        guest.publish("piio/bench/config/set", "after it")
    with pytest.raises(NotConnected, match="vera"):
        Connection(address(own, "vera", "guessed"), heard.append).open()


def test_the_socket_file_of_a_broker_that_was_killed_is_in_nobodys_way(own: House) -> None:
    for process in (int((own.state / "broker" / "mosquitto.pid").read_text()), own.process.pid):
        os.kill(process, signal.SIGKILL)
    own.process.wait(5)
    path = local_socket(own.state)
    assert path and path.is_socket()
    own.process = own._start()
    with Connection(address(own, "bridge", own.secret("bridge")), lambda _: None) as bridge:
        assert bridge.connected


@pytest.mark.parametrize("folder", ["with a space", "x" * 90])
def test_where_there_can_be_none_the_broker_has_its_port_alone(tmp_path: Path, folder: str) -> None:
    house = House(tmp_path / folder / "var")
    try:
        assert house.bridge().connack == 0
        assert not any((house.state / "broker").glob("socket*"))
        assert not (tmp_path / "with").exists()
    finally:
        house.close()
