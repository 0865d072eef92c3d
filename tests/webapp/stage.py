"""A real broker, bridge, simulated board and web app, each a process, and pages that speak to it as browsers do."""

import functools
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import simple_websocket
from msgspec import Struct

from piio.address import read_address
from piio.connection import Connection, Message
from piio_schemas.roles import Role
from piio_webapp import people
from tests.ports import free_port, is_open

PIIO = [str(Path(sys.executable).with_name("piio"))]
PASSWORD = "right horse battery"
PEOPLE = {"anna": Role.ADMIN, "otto": Role.OPERATOR, "vera": Role.VIEWER}
DEADLINE = 10.0


def healthy(url: str) -> bool:
    """Whether a web app serves there."""
    try:
        return Visitor(url).get("/healthz").status == 200
    except (OSError, http.client.HTTPException):  # on a port that nobody has yet, a connection may be with itself
        return False


def eventually(condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
    """Return what the condition gives as soon as it is true; fail when it never is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(f"within {seconds:g} s there was not: {what}")


class Answer(Struct):
    """What the web app answered: status, headers and text."""

    status: int
    headers: Any
    text: str
    url: str


class _From(urllib.request.HTTPHandler):
    """Requests from a certain address of this machine."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._connect = functools.partial(http.client.HTTPConnection, source_address=(address, 0))

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._connect, req)  # type: ignore[arg-type]


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, url: str, address: str = "127.0.0.1", cookies: CookieJar | None = None) -> None:
        self.url = url
        self.cookies = CookieJar() if cookies is None else cookies
        self._opener = urllib.request.build_opener(_From(address), urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str, form: dict[str, str] | None = None) -> Answer:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(self.url + path, data, timeout=DEADLINE) as reply:
                return Answer(reply.status, reply.headers, reply.read().decode(), reply.url)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read().decode(), error.url or "")

    def log_in(self, name: str, password: str = PASSWORD, to: str = "/") -> Answer:
        form = self.get("/login").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', form)
        token = found[1] if found else ""
        return self.get("/login", {"name": name, "password": password, "csrf_token": token, "next": to})

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)

    def page(self, **headers: str) -> "Page":
        return Page(self.url, {"Cookie": self.cookie, "Origin": self.url, **headers})


class _Socket(simple_websocket.Client):  # type: ignore[misc]  # it has no types
    def handshake(self) -> None:
        """Name the port in the host, as browsers do: the web app compares it with the origin."""
        self.host = f"{self.host}:{self.port}"
        super().handshake()


class Page:
    """The socket of a page, by hand: what it is told, and whatever it cares to say."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        address = url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        self.socket = _Socket(address, headers=headers)
        self.frames: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}
        self.acknowledging = True
        self.joined = False
        self.sent_away = False
        self.refused: str | None = None
        self._unacknowledged: list[str] = []
        self._next = 0
        self.socket.send("40")
        self.wait(lambda: self.joined or self.refused, "an answer to the log-in")

    def say(self, event: str, *arguments: Any) -> None:
        self.socket.send("42" + json.dumps([event, *arguments]))

    def look(self, agent: str | None = None, raws: bool = False) -> dict[str, Any]:
        self.say("look", {"agent": agent, "raws": raws})
        return self.wait(
            lambda: next((frame for frame in reversed(self.frames) if frame.get("full")), None), "snapshot"
        )

    @property
    def tick(self) -> dict[str, Any]:
        return {key: self.frames[-1][key] for key in ("boot", "tick")}

    def ask(self, event: str, **content: Any) -> Any:
        self._next += 1
        id = f"t{self._next}"
        self.say(event, {"id": id, **content})
        return self.wait(lambda: self.answers.get(id), f"an answer to {event}")

    def set(self, agent: str, point: str, value: float, **more: Any) -> Any:
        return self.ask("set", agent=agent, point=point, value=value, **{"tick": self.tick, **more})

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = DEADLINE) -> Any:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = condition()
            if found:
                return found
            self._receive(0.1)
        raise AssertionError(f"within {seconds:g} s there was not: {what}")

    def hear(self, seconds: float) -> None:
        """Listen for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._receive(0.05)

    def closed(self, seconds: float = 3.0) -> bool:
        """Whether the server closes the socket within some seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self._receive(0.1)
            except simple_websocket.ConnectionClosed:
                return True
            if self.refused == "closed":
                return True
        return False

    def acknowledge(self) -> None:
        """Take all frames that were left waiting."""
        self.acknowledging = True
        for id in self._unacknowledged:
            self.socket.send(f"43{id}[]")
        self._unacknowledged.clear()

    def close(self) -> None:
        if self.socket.connected:
            self.socket.close()

    def _receive(self, seconds: float) -> None:
        packet = self.socket.receive(seconds)
        if not isinstance(packet, str):
            return
        if packet == "2":
            self.socket.send("3")
        elif packet.startswith("40"):
            self.joined = True
        elif packet.startswith("44"):
            self.refused = packet[2:]
        elif packet.startswith("41"):
            self.refused = "closed"
        elif packet.startswith("42"):
            found = re.match(r"42(\d*)(.*)", packet, re.DOTALL)
            assert found
            event, *content = json.loads(found[2])
            if event == "out":
                self.sent_away = True
            else:
                self._frame(found[1], content[0])

    def _frame(self, id: str, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        for answer in frame.get("answers", ()):
            self.answers[answer["id"]] = answer
        if not id:
            return
        if self.acknowledging:
            self.socket.send(f"43{id}[]")
        else:
            self._unacknowledged.append(id)


class Process:
    """One of our processes; its command line stays, so that it can be started again."""

    def __init__(self, command: list[str], log: Path, **environment: str) -> None:
        self.command, self.log, self.environment = command, log, environment
        self.child: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(self.command, stdout=log, stderr=log, env=os.environ | self.environment)

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End it and return how many seconds that took."""
        began = time.monotonic()
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(number)
            self.child.wait(DEADLINE)
        return time.monotonic() - began


class Stage:
    """All of it, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mqtt_port, self.web_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.state = folder / "web"
        (folder / "mosquitto.conf").write_text(
            f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\npersistence false\n"
            "max_inflight_messages 100\nmax_queued_messages 100000\n"  # as ours has it
        )
        (folder / "displays").mkdir()
        self.broker = self._process("broker", ["mosquitto", "-c", str(folder / "mosquitto.conf")])
        eventually(lambda: is_open(self.mqtt_port), "a broker")
        self.bridge = self._piio("bridge", "bridge", "--state", str(folder / "bridge"))
        self.open_webapps()
        eventually(self.healthy, "a web app that hears the broker")

    def open_webapps(self) -> None:
        """Make the people, and start what serves browsers."""
        for name, role in PEOPLE.items():
            people.added(self.state, name, role, PASSWORD)
        self.webapp = self._piio(
            "webapp", "webapp", "--state", str(self.state), "--port", str(self.web_port),
            "--displays-dir", str(self.folder / "displays"),
            PIIO_WEB_USER="anna", PIIO_FIRST_TOKEN="first-token",
        )  # fmt: skip

    def add_board(self, name: str) -> Process:
        folder = self.folder / name
        return self._piio(name, "agent", "--name", name, "--simulate", "--state", str(folder))

    def connection(self, on_message: Callable[[Message], None] = lambda _: None) -> Connection:
        connection = Connection(read_address(f"mqtt://tester@127.0.0.1:{self.mqtt_port}"), on_message)
        connection.open()
        return connection

    def healthy(self) -> bool:
        return healthy(self.url)

    def visitor(self, name: str | None = None) -> Visitor:
        visitor = Visitor(self.url)
        if name:
            answer = visitor.log_in(name)
            assert answer.status == 200, answer.text
        return visitor

    def close(self) -> None:
        for process in reversed(self._processes):
            process.stop(signal.SIGTERM)

    @property
    def _processes(self) -> list[Process]:
        made: list[Process] = self.__dict__.setdefault("processes", [])
        return made

    def _piio(self, name: str, command: str, *options: str, **environment: str) -> Process:
        user = name if command == "agent" else command
        url = f"mqtt://{user}@127.0.0.1:{self.mqtt_port}"
        return self._process(name, [*PIIO, command, "--url", url, *options], **environment)

    def _process(self, name: str, command: list[str], **environment: str) -> Process:
        process = Process(command, self.folder / f"{name}.log", **environment)
        self._processes.append(process)
        return process
