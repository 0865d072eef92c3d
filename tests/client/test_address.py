"""Where a broker is, as people write it."""

import socket
from pathlib import Path

import pytest

from piio.address import Address, read_address
from piio.connection import Connection
from piio.errors import AddressError, NotConnected


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://anna:se%20cret@broker.example", Address("broker.example", 1883, "anna", "se cret")),
        ("mqtts://[::1]:8884", Address("::1", 8884, tls=True)),
        ("mqtt+unix://bridge:pw@/var/lib/piio/broker/socket",
         Address("/var/lib/piio/broker/socket", user="bridge", password="pw", unix=True)),
        ("mqtt+unix:///home/h%C3%A4ns/broker/socket", Address("/home/häns/broker/socket", unix=True)),
    ],
)  # fmt: skip
def test_an_address_is_read_and_written_alike(url: str, address: Address) -> None:
    assert read_address(url) == address
    assert read_address(address.url) == address
    assert "pw" not in repr(address) and "cret" not in repr(address)


@pytest.mark.parametrize("url", ["mqtt+unix://host/path", "mqtt+unix://anna@", "mqtt+unix:relative", "http://broker"])
def test_what_is_none_is_refused_with_what_it_could_be(url: str) -> None:
    with pytest.raises(AddressError, match=r"mqtt://user:password@host:port .*mqtt\+unix://user:password@/path"):
        read_address(url)


def test_a_broker_that_takes_nobody_in_at_its_socket_file_holds_nobody_up(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as broker, socket.socket(socket.AF_UNIX) as first:
        broker.bind(path)
        broker.listen(0)
        first.connect(path)
        with pytest.raises(NotConnected, match="no broker at mqtt"):
            Connection(Address(path, unix=True), lambda _: None).open()
