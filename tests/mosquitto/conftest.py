"""A real broker with the rights of an installation, and people and boards who try them."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.ports import free_port, is_open

PIIO = Path(sys.executable).with_name("piio")

DENIED = 0x87


class Guest:
    """Somebody at the broker, by MQTT 5, who notes what the broker answers and delivers."""

    def __init__(self, port: int, name: str | None, password: str | None) -> None:
        self.heard: list[tuple[str, str]] = []
        self.connack: int | None = None
        self._answers: dict[int, int] = {}
        self._news = threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        if name is not None:
            self._client.username_pw_set(name, password)
        self._client.on_connect = lambda _, __, ___, code, ____: self._note(
            lambda: setattr(self, "connack", code.value)
        )
        self._client.on_publish = lambda _, __, mid, code, ___: self._note(
            lambda: self._answers.__setitem__(mid, code.value)
        )
        self._client.on_subscribe = lambda _, __, mid, ___, ____: self._note(lambda: self._answers.__setitem__(mid, 0))
        self._client.on_message = lambda _, __, m: self._note(lambda: self.heard.append((m.topic, m.payload.decode())))
        self._client.on_disconnect = lambda *_: self._note(lambda: setattr(self, "gone", True))
        self.gone = False
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait(lambda: self.connack is not None)

    def wait(self, condition: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Wait for something to be so; whether it came."""
        with self._news:
            return self._news.wait_for(condition, timeout)

    def publish(self, topic: str, payload: str = "1") -> int:
        """Publish and return what the broker answers: DENIED or not."""
        mid = self._client.publish(topic, payload, qos=1).mid
        assert self.wait(lambda: mid in self._answers)
        return self._answers[mid]

    def may_publish(self, topic: str) -> bool:
        """Whether the broker takes a message on the topic."""
        return self.publish(topic) != DENIED

    def subscribe(self, filter: str) -> None:
        """Subscribe; Mosquitto says yes to everybody and filters at delivery."""
        _, mid = self._client.subscribe(filter, qos=1)
        assert mid is not None
        assert self.wait(lambda: mid in self._answers)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, change: Callable[[], None]) -> None:
        with self._news:
            change()
            self._news.notify_all()


class House:
    """A `piio broker` process and the identities of its state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = free_port()
        self.said: list[str] = []
        self._guests: list[Guest] = []
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [PIIO, "broker", "--state", self.state, "--port", str(self.port)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line)
            if line.endswith("running\n"):
                break
        threading.Thread(target=lambda: self.said.extend(process.stderr or ()), daemon=True).start()
        return process

    def user(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `piio user …` on this installation."""
        return subprocess.run(
            [PIIO, "user", *arguments, "--state", self.state], capture_output=True, text=True, check=False
        )

    def add(self, name: str, role: str, *options: str) -> str:
        """Make an identity; its password."""
        done = self.user("add", name, "--role", role, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("://")[2].partition("@")[0].partition(":")[2]

    def secret(self, service: str) -> str:
        """The password of the bridge or the web app."""
        return (self.state / "secrets" / f"{service}.password").read_text().strip()

    def guest(self, name: str | None, password: str | None) -> Guest:
        """Let somebody try to come in."""
        self._guests.append(Guest(self.port, name, password))
        return self._guests[-1]

    def listens(self) -> bool:
        """Whether the broker takes connections."""
        return is_open(self.port)

    def bridge(self) -> Guest:
        """The bridge, who may everything."""
        return self.guest("bridge", self.secret("bridge"))

    def close(self) -> None:
        """Send everybody home."""
        for guest in self._guests:
            guest.close()
        self.process.terminate()
        assert self.process.wait(10) == 0


def wait_for(condition: Callable[[], bool], timeout: float = 5.0) -> bool:
    """Wait for something no event tells of; whether it came."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("house") / "var")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def people(house: House) -> dict[str, Guest]:
    """One of each role, two boards, and a viewer and an operator of the laboratory alone."""
    makes = [
        ("lab-1", "agent"), ("attic", "agent"), ("vera", "viewer"), ("otto", "operator"), ("ada", "admin"),
        ("lia", "viewer", "--scope", "lab-*"), ("leo", "operator", "--scope", "lab-*"),
    ]  # fmt: skip
    passwords = {name: house.add(name, *rest) for name, *rest in makes}
    passwords["webapp"] = house.secret("webapp")
    return {name: house.guest(name, password) for name, password in passwords.items()}
