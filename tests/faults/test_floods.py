"""Somebody who screams, bounces, crowds in or does not listen leaves everything else as it was."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from piio import Client, connect
from piio.connection import Message
from piio.errors import NotKnown
from tests.webapp.bench import Bench
from tests.webapp.stage import Process, Stage, eventually

QUICK = 1.0
"""Seconds that a set on another board may take, in 99 of 100."""

GROWTH = 40.0
"""Megabytes that a process may grow by in a flood."""

BOUNCING = """
import threading, time
from piio_agent.interfaces import Channel, Edge, Interface

class Bouncing(Interface):
    name = "bouncing"
    title = "An input that bounces at 5 kHz, for 4 s"
    raw = 0.0
    def channels(self):
        return {"0": Channel("0", ("input",), "digital", edges=True)}
    def open(self, channel, direction, settings, first=None):
        pass
    def read(self, channel):
        return self.raw
    def watch(self, channel, on_edge):
        threading.Thread(target=self.bounce, args=(on_edge,), daemon=True).start()
    def close(self, channel):
        pass
    def bounce(self, on_edge):
        begin = time.monotonic_ns()
        for seq in range(1, 20002):
            self.raw = float(seq % 2)
            while time.monotonic_ns() < begin + seq * 200_000:
                time.sleep(0.002)
            on_edge(Edge("rising" if seq % 2 else "falling", time.time_ns(), time.monotonic_ns(), seq))
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage(tmp_path_factory.mktemp("stage"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bench(stage: Stage) -> Bench:
    """The board that is to notice nothing."""
    return Bench(stage)


class Bystander:
    """Somebody who sets the lamp of the other board again and again, and watches how good its points are."""

    def __init__(self, stage: Stage, bench: Bench) -> None:
        self.took: list[float] = []
        self.refused: list[str] = []
        self.doubts: list[str] = []
        self._stage, self._bench = stage, bench
        self._over = threading.Event()
        self._listener = stage.connection(self._hear)
        self._listener.subscribe([(f"piio/{bench.name}/quality/+", 0)])
        self._client = connect(f"mqtt://tester@127.0.0.1:{stage.mqtt_port}")
        self._thread = threading.Thread(target=self._run)
        eventually(lambda: self._set(), "a set that is done")

    def __enter__(self) -> "Bystander":
        self.doubts.clear()
        self._before = self._memory()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()
        self._listener.close()

    def check(self) -> None:
        """Nothing was noticed: sets were quick and done, points good, and nobody grew."""
        took = sorted(self.took)
        assert len(took) > 20, took
        assert took[int(0.99 * (len(took) - 1))] < QUICK, took[-5:]
        assert not self.refused
        assert not self.doubts
        after = self._memory()
        print(f"{len(took)} sets, median {took[len(took) // 2] * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms")
        grown = {name: round(after[name] - before, 1) for name, before in self._before.items()}
        print("grown by MB:", grown)
        assert max(grown.values()) < GROWTH, grown

    def _run(self) -> None:
        while not self._over.wait(0.02):
            begun = time.monotonic()
            if self._set():
                self.took.append(time.monotonic() - begun)

    def _set(self) -> bool:
        result = self._client.set(f"{self._bench.name}/lamp", "toggle")
        if result.status != "done" and self._thread.is_alive():
            self.refused.append(result.reason)
        return result.status == "done"

    def _hear(self, message: Message) -> None:
        if message.payload != b"good":
            self.doubts.append(f"{message.topic}: {message.payload.decode()}")

    def _memory(self) -> dict[str, float]:
        stage = self._stage
        parts = {"broker": stage.broker, "bridge": stage.bridge, "web app": stage.webapp, "agent": self._bench.agent}
        return {name: _megabytes(part) for name, part in parts.items()}


def _megabytes(process: Process) -> float:
    assert process.child
    pages = int(Path(f"/proc/{process.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(*command: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Heard:
    """What is heard on some topics, with the time when."""

    def __init__(self, stage: Stage, *filters: str) -> None:
        self.messages: list[tuple[float, Message]] = []
        self._connection = stage.connection(lambda message: self.messages.append((time.monotonic(), message)))
        self._connection.subscribe([(filter, 0) for filter in filters])

    def on(self, topic: str) -> list[tuple[float, bytes]]:
        return [(at, message.payload) for at, message in self.messages if message.topic == topic]

    def close(self) -> None:
        self._connection.close()


def test_an_input_that_bounces_at_5_khz(stage: Stage, bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "bouncing.py").write_text(BOUNCING)
    (tmp_path / "agent.toml").write_text(
        f'name = "bouncy"\nurl = "mqtt://bouncy@127.0.0.1:{stage.mqtt_port}"\n'
        '[interfaces.button]\ndriver = "bouncing"\n[interfaces.gpio]\ndriver = "simulated"\n'
    )
    lamp = {"interface": "gpio", "channel": "17", "direction": "output"}
    command = [*stage.bridge.command[:1], "agent", "--config", str(tmp_path / "agent.toml")]
    heard = Heard(stage, "piio/bouncy/#")
    options = ("--interfaces-dir", tmp_path, "--state", tmp_path / "state")
    with running(*command, *options), connect(f"mqtt://tester@127.0.0.1:{stage.mqtt_port}") as client:
        eventually(lambda: _configured(client, "bouncy", {"lamp": lamp}), "a board that takes a configuration")
        with Bystander(stage, bench) as bystander:
            button = {"interface": "button", "channel": "0", "events": False}
            assert _configured(client, "bouncy", {"button": button})
            raws = "piio/bouncy/raw/button/0"
            eventually(lambda: heard.on(raws), "a raw")
            took = []
            first = time.monotonic()
            while time.monotonic() < first + 4:
                begun = time.monotonic()
                assert client.set("bouncy/lamp", "toggle").status == "done"
                took.append(time.monotonic() - begun)
            eventually(lambda: time.monotonic() - heard.on(raws)[-1][0] > 0.5, "rest")
        bystander.check()
    heard.close()
    assert max(took) < QUICK, "on the very board that bounces"
    assert heard.on(raws)[-1][1] == b"1", "the level at which it came to rest"
    assert len(heard.on(raws)) < 120, "the newest ten times a second, after a first few"
    beacons = [at for at, _ in heard.on("piio/bouncy/beacon") if at > first]
    assert max(b - a for a, b in pairwise(beacons)) < 1.5


def test_an_agent_that_screams_5000_raws_a_second(stage: Stage, bench: Bench) -> None:
    topic = "piio/screamer/raw/adc/0"
    connection = stage.connection()
    _announce(connection, "screamer")
    with connect(f"mqtt://tester@127.0.0.1:{stage.mqtt_port}") as client:
        eventually(
            lambda: _configured(client, "screamer", {"noise": {"interface": "adc", "channel": "0"}}), "its points"
        )
    heard = Heard(stage, "piio/screamer/value/noise")
    with Bystander(stage, bench) as bystander:
        publisher = ("mosquitto_pub", "-p", str(stage.mqtt_port), "-r", "-l", "-t", topic)
        with running(*publisher) as scream:
            assert scream.stdin
            begun = time.monotonic()
            for tick in range(200):
                scream.stdin.write("".join(f"{tick * 100 + n}\n" for n in range(100)))
                scream.stdin.flush()
                time.sleep(max(0.0, begun + tick * 0.02 - time.monotonic()))
            eventually(lambda: (heard.messages or [(0, None)])[-1][1] is not None, "a value")
            eventually(lambda: heard.on("piio/screamer/value/noise")[-1][1] == b"19999", "the newest value")
    heard.close()
    connection.close()
    bystander.check()


@pytest.mark.timeout(120)
def test_a_thousand_agents_that_reconnect_at_once(stage: Stage, bench: Bench, tmp_path: Path) -> None:
    capabilities = tmp_path / "capabilities.json"
    seen = Heard(stage, f"piio/{bench.name}/capabilities", "piio/+/config", "piio/+/status")
    eventually(lambda: seen.on(f"piio/{bench.name}/capabilities"), "capabilities")
    document = json.loads(seen.on(f"piio/{bench.name}/capabilities")[0][1])
    capabilities.write_text(json.dumps({**document, "agent": "@NAME@", "boot": "b"}))
    crowd = (sys.executable, Path(__file__).with_name("crowd.py"), str(stage.mqtt_port), "1000", capabilities)

    def boards(kind: str, payload: bytes = b"") -> int:
        messages = [message for _, message in list(seen.messages) if message.topic.endswith(f"/{kind}")]
        return len({m.topic for m in messages if m.topic.startswith("piio/crowd") and payload in m.payload})

    with running(*crowd, stdout=subprocess.PIPE) as agents:
        assert agents.stdout and agents.stdin
        agents.stdout.readline()
        eventually(lambda: boards("config") == 1000, "a configuration for each", 60)
        with Bystander(stage, bench) as bystander:
            seen.messages.clear()
            agents.stdin.write("again\n")
            agents.stdin.flush()
            agents.stdout.readline()
            eventually(lambda: boards("status", b"offline") == boards("status", b"online") == 1000, "all online", 30)
            eventually(lambda: len(bystander.took) > 100, "some sets more", 30)
        bystander.check()
    seen.close()


STALLED = """
import os, signal, sys
from tests.webapp.stage import Visitor
visitor = Visitor(sys.argv[1])
assert visitor.log_in("vera").status == 200
page = visitor.page()
page.acknowledging = sys.argv[2] == "polite"
page.look(sys.argv[3], raws=True)
print("looks", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.mark.parametrize("manners", ["polite", "rude"])
def test_a_browser_that_stops_reading(stage: Stage, bench: Bench, manners: str) -> None:
    knob = f"piio/{bench.name}/sim/adc/3"
    with Bystander(stage, bench) as bystander:
        with running(sys.executable, "-c", STALLED, stage.url, manners, bench.name, stdout=subprocess.PIPE) as stalled:
            assert stalled.stdout
            assert stalled.stdout.readline() == "looks\n"
            page = bench.open("otto")
            connection = stage.connection()
            frames = len(page.frames)
            for value in range(150):
                connection.publish(knob, str(value))
                page.hear(0.02)
            begun = time.monotonic()
            assert page.set(bench.name, "lamp", 1)["status"] == "done"
            assert time.monotonic() - begun < QUICK
            assert len(page.frames) - frames > 30, "who reads is told as ever"
            page.close()
            connection.close()
        bystander.check()


def _announce(connection: Any, name: str) -> None:
    """Be there as an agent is."""
    channels = {"0": {"label": "ADC0", "directions": ["input"], "kind": "analog", "low": 0, "high": 65535}}
    interfaces = {"adc": {"driver": "x", "title": "ADC", "ok": True, "channels": channels}}
    capabilities = {"agent": name, "boot": "b", "software": "x", "board": {}, "interfaces": interfaces}
    connection.publish(f"piio/{name}/capabilities", json.dumps(capabilities), 1, True)
    applied = {"store": "", "revision": 0, "boot": "b", "points": {}}
    connection.publish(f"piio/{name}/config/applied", json.dumps(applied), 1, True)
    connection.publish(f"piio/{name}/status", "online", 1, True)
    beacon = {"boot": "b", "connection": 1, "tick": 1.0, "period": 60}
    connection.publish(f"piio/{name}/beacon", json.dumps(beacon))


def _configured(client: Client, board: str, points: dict[str, Any]) -> bool:
    try:
        answer = client.configure(board, {"points": points})
    except NotKnown:
        return False
    assert answer.ok or "no board" in str(answer.errors), answer.errors
    return answer.ok
