"""What a page is told goes out at once, in its order, whatever its socket takes."""

import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask_socketio import SocketIO
from werkzeug.serving import make_server
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, Request, TextMessage

from piio_webapp.page_socket import write_at_once
from tests.webapp.stage import eventually

MUCH = "x" * 50_000
"""A socket of this machine takes some ten of them before somebody reads."""


class Server:
    """Flask-SocketIO as the web app has it, in this process."""

    def __init__(self, patience: float = 10) -> None:
        app = Flask(__name__)
        self.socketio = SocketIO(app, async_mode="threading", ping_interval=patience, ping_timeout=patience)
        self.engine = app.extensions["socketio"].server.eio
        write_at_once(self.engine)
        self._http = make_server("127.0.0.1", 0, app, threaded=True)
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    @property
    def queues(self) -> list[Any]:
        """Of the pages that are there."""
        return [each.queue for each in self.engine.sockets.values()]

    def say(self, number: int, text: str = "", taken: Callable[..., None] | None = None) -> None:
        self.socketio.emit("frame", (number, text), to=None if taken is None else self.one(), callback=taken)

    def one(self) -> str:
        return next(iter(self.socketio.server.manager.get_participants("/", None)))[0]

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()


class Reader:
    """A page that reads when it is told to."""

    def __init__(self, port: int, polled: str = "") -> None:
        """Connect; `polled`: go on with what was begun by polling."""
        self.heard: list[str] = []
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._send(Request(host=f"127.0.0.1:{port}", target=f"/socket.io/?EIO=4&transport=websocket{polled}"))
        assert isinstance(next(self._events()), AcceptConnection)
        self._send(TextMessage("2probe" if polled else "40"))
        if polled:
            self.read(lambda heard: heard == ["3probe"])
            self._send(TextMessage("5"))
        else:
            self.read(lambda heard: any(packet.startswith("40") for packet in heard))

    def read(self, wanted: Callable[[list[str]], Any]) -> None:
        """Read until all that was heard is as wanted."""
        while not wanted(self.heard):
            for event in self._events():
                assert isinstance(event, TextMessage)
                self.heard.append(self.heard.pop() + event.data if self._begun else event.data)
                self._begun = not event.message_finished
                if self.heard[-1] == "2":
                    self._send(TextMessage("3"))

    _begun = False

    @property
    def numbers(self) -> list[int]:
        """Of the frames heard, each of which came whole."""
        packets = [packet for packet in self.heard if packet.startswith("42") and not self._begun]
        return [json.loads(packet[packet.index("[") :])[1] for packet in packets]

    def acknowledge(self) -> None:
        """Take the frame heard last."""
        packet = self.heard[-1]
        self._send(TextMessage(f"43{packet[2 : packet.index('[')]}[]"))

    def close(self) -> None:
        self._socket.close()

    def _events(self) -> Iterator[Event]:
        self._protocol.receive_data(self._socket.recv(1 << 16) or None)
        return iter(list(self._protocol.events()))

    def _send(self, event: Event) -> None:
        self._socket.sendall(self._protocol.send(event))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def page(server: Server) -> Iterator[Reader]:
    page = Reader(server.port)
    yield page
    page.close()


def test_a_frame_is_written_by_whoever_sends_it(server: Server, page: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    (queue,) = server.queues
    eventually(lambda: queue.idle, "a socket with nothing left to write")
    handed_on: list[Any] = []
    monkeypatch.setattr(queue, "_put", handed_on.append)  # what the thread would get
    server.say(1)
    page.read(lambda _: page.numbers == [1])
    assert not handed_on


def test_what_a_page_does_not_take_comes_in_its_order_when_it_does(server: Server, page: Reader) -> None:
    server.say(0)
    for number in range(1, 200):
        server.say(number, MUCH)
    assert not server.queues[0].idle, "all went out: this shows nothing"
    server.say(200)
    page.read(lambda _: page.numbers[-1:] == [200])
    assert page.numbers == list(range(201))
    eventually(lambda: server.queues[0].idle, "a socket with nothing left to write")
    server.say(201)
    page.read(lambda _: page.numbers[-1] == 201)


def test_frames_stay_in_their_order_while_a_page_takes_them_slowly(server: Server, page: Reader) -> None:
    def tell() -> None:
        for number in range(600):
            server.say(number, MUCH if number % 3 == 0 else "")

    teller = threading.Thread(target=tell)
    teller.start()
    page.read(lambda _: page.numbers[-1:] == [599])
    teller.join()
    assert page.numbers == list(range(600))


def test_a_page_that_takes_nothing_holds_up_nobody(server: Server, page: Reader) -> None:
    other = Reader(server.port)
    for number in range(200):
        server.say(number, MUCH)
        other.read(lambda _, number=number: other.numbers[-1:] == [number])
    assert not all(queue.idle for queue in server.queues), "it took all: this shows nothing"
    other.close()


def test_a_page_says_that_it_took_a_frame(server: Server, page: Reader) -> None:
    taken = threading.Event()
    server.say(1, taken=lambda *_: taken.set())
    page.read(lambda _: page.numbers == [1])
    page.acknowledge()
    assert taken.wait(5)


def test_a_quiet_page_stays_connected() -> None:
    """The thread of its socket writes nothing meanwhile, and Engine.IO would end it after three seconds here."""
    server = Server(patience=1.5)
    page = Reader(server.port)
    page.read(lambda heard: heard.count("2") == 3)
    server.say(1)
    page.read(lambda _: page.numbers == [1])
    page.close()
    server.close()


def test_a_page_that_polls_gets_what_it_is_told_also_when_it_goes_on_by_a_web_socket(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=polling"

    def poll(post: bytes | None = None) -> str:
        with urllib.request.urlopen(url, post, timeout=5) as reply:
            return str(reply.read().decode())

    sid = "&sid=" + json.loads(poll()[1:])["sid"]
    url += sid
    poll(b"40")
    assert poll().startswith("40")
    server.say(1)
    assert poll() == '42["frame",1,""]'
    page = Reader(server.port, polled=sid)
    for number in range(2, 100):
        server.say(number, MUCH)
    page.read(lambda _: page.numbers[-1:] == [99])
    assert page.numbers == list(range(2, 100))
    page.close()
