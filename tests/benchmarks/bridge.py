"""What the bridge carries: readings through an equation, one by one and in blocks, beside programs that do the same.

Everything is as in an installation: Mosquitto with our configuration and access list, raws and values retained, a
bridge with a database, boards that are alive. Each contender has a broker of its own, and all of them wait while one
works.
"""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from tests.benchmarks.figure import Figure, at_least, at_most
from tests.benchmarks.layout import Layout
from tests.benchmarks.load import SAMPLES, Load
from tests.benchmarks.peers.mqtt_io import OUTPUTS, mqtt_io
from tests.benchmarks.peers.node_red import node_red
from tests.benchmarks.peers.peer import Peer, peer_at_work
from tests.benchmarks.run import Numbers, Run
from tests.benchmarks.stand import Stand, bridge_at_work, cpu_of, memory_of
from tests.faults.parts import Part

TITLE = "The bridge: readings and blocks through equations"

READINGS = 60_000
WINDOW = 500
"""Readings of a round as fast as they are answered, and how many of them are unanswered at a time."""

RATE = 1_000
TIMED = 3_000
"""Readings a second, and how many, for the time that each takes."""

WRITTEN = 2.0
"""Seconds until the history has written what it heard."""

BLOCKS = 30_000
BLOCKS_AT_A_TIME = 50

SAME = Layout()
DISTINCT = Layout(boards=100, points=100, equations=1000)
KEPT = Layout(history=True)
SAMPLED = Layout(sample_rate=10_000)

PAHO = "plain paho loop"
PROMPT = "the same with TCP_NODELAY"
NEAR = "the same by the socket file"
FAR = "by TCP"
ONE = "one equation"
MQTT_IO = "mqtt-io (its outputs)"

SWITCHED = 3_000
"""Sets of a round of mqtt-io's."""


def measure(run: Run) -> list[Figure]:
    """Readings and blocks, beside a plain paho loop and, with peers, Node-RED and mqtt-io."""
    return [*_readings(run), *_blocks(run)]


def _readings(run: Run) -> list[Figure]:
    peers, switching = _peers(run)
    with ExitStack() as stack:
        contenders: dict[str, Callable[[], Numbers]] = {}
        for title, layout, host in (
            ("PiIO", SAME, None), (FAR, SAME, "127.0.0.1"), ("distinct", DISTINCT, None), ("kept", KEPT, None),
        ):  # fmt: skip
            run.say(f"starting a bridge for {layout.boards * layout.points} points{f' {host}' if host else ''}")
            made, bridge = stack.enter_context(bridge_at_work(layout, host))
            contenders[title] = partial(_round, made, layout, bridge)
        for peer in peers:
            run.say(f"starting: {peer.name}")
            made, part = stack.enter_context(peer_at_work(peer))
            contenders[peer.name] = partial(_round, made, SAME, part)
        if switching:
            run.say(f"starting: {switching.name}")
            made, _ = stack.enter_context(peer_at_work(switching))
            contenders[MQTT_IO] = partial(_round_of_switches, Load(made.publisher, made.publisher, OUTPUTS, "switches"))
        return _compared(run.interleaved(contenders))


def _peers(run: Run) -> tuple[list[Peer], Peer | None]:
    """Return who does the same, and who does what is most like it; what cannot be fetched ends it before it begins."""
    loop = [sys.executable, "-m", "tests.benchmarks.peers.paho_loop"]
    loops = [
        Peer(PAHO, lambda made: [*loop, made.publisher.url]),
        Peer(PROMPT, lambda made: [*loop, made.publisher.url, "nodelay"]),
        Peer(NEAR, lambda made: [*loop, made.publisher_near.url]),
    ]
    if not run.peers:
        return loops, None
    run.say("fetching Node-RED and mqtt-io, unless they are there")
    return [*loops, node_red()], mqtt_io()


def _round(made: Stand, layout: Layout, part: Part) -> Numbers:
    load = made.load(layout)
    load.closed_loop(READINGS // 20, WINDOW)
    before, broker = cpu_of(part.pid), cpu_of(made.parts.mosquitto)
    busy = load.closed_loop(READINGS, WINDOW)
    broker = cpu_of(made.parts.mosquitto) - broker
    if layout.history:
        time.sleep(WRITTEN)
    cpu = cpu_of(part.pid) - before
    calm = load.at_rate(TIMED, RATE)
    return {
        "rate": busy.rate, "cpu": cpu / busy.answered * 1e6, "broker": broker / busy.answered * 1e6,
        "lost": busy.lost + calm.lost, "p50": calm.p50 / 1000, "p99": calm.p99 / 1000,
        "memory": memory_of(part.pid),
    }  # fmt: skip


def _round_of_switches(load: Load) -> Numbers:
    return {"rate": load.closed_loop(SWITCHED, WINDOW).rate}


def _compared(found: dict[str, dict[str, float]]) -> list[Figure]:
    ours, far, distinct, kept = (found.pop(title) for title in ("PiIO", FAR, "distinct", "kept"))

    def others(name: str) -> dict[str, float]:
        return {who: numbers[name] for who, numbers in found.items() if name in numbers}

    return [
        Figure(what="readings through an equation, 80 points", number=ours["rate"], unit="/s", compared=others("rate"),
               reach=at_least(2.2, PAHO), pictured=True),
        Figure(what="time of each at 1,000/s, p50", number=ours["p50"], unit="ms", compared=others("p50"),
               reach=at_most(0.3, PAHO), pictured=True),
        Figure(what="time of each at 1,000/s, p99", number=ours["p99"], unit="ms", compared=others("p99")),
        Figure(what="processor time for each", number=ours["cpu"], unit="µs", compared=others("cpu"),
               reach=at_most(15), pictured=True),
        Figure(what="processor time of the broker for each", number=ours["broker"], unit="µs",
               compared=others("broker")),
        Figure(what="memory of the process", number=ours["memory"], unit="MB", compared=others("memory"),
               reach=at_most(90), pictured=True),
        Figure(what="readings lost", number=sum(each["lost"] for each in (ours, far, distinct, kept)),
               unit="", reach=at_most(0)),
        Figure(what="the bridge by TCP, as on another machine", number=far["rate"], unit="/s",
               compared={PAHO: found[PAHO]["rate"], "by the socket file": ours["rate"]}),
        Figure(what="by TCP: processor time of the broker for each", number=far["broker"], unit="µs",
               compared={"by the socket file": ours["broker"]}),
        Figure(what="1,000 equations, 10,000 points", number=distinct["rate"], unit="/s",
               compared={ONE: ours["rate"]}, reach=at_least(0.7, ONE)),
        Figure(what="1,000 equations: processor time for each", number=distinct["cpu"], unit="µs",
               compared={ONE: ours["cpu"]}),
        Figure(what="1,000 equations: memory of the process", number=distinct["memory"], unit="MB",
               compared={ONE: ours["memory"]}),
        Figure(what="80 points, every value kept in the history", number=kept["rate"], unit="/s",
               compared={"not kept": ours["rate"]}),
        Figure(what="kept: processor time for each, written", number=kept["cpu"], unit="µs",
               compared={"not kept": ours["cpu"]}),
    ]  # fmt: skip


def _blocks(run: Run) -> list[Figure]:
    run.say("starting a bridge for blocks")
    with bridge_at_work(SAMPLED) as (made, bridge):
        found = run.interleaved({"blocks": partial(_round_of_blocks, made.load(SAMPLED, "blocks"), bridge)})["blocks"]
    return [
        Figure(what="samples in blocks of 1,000 through an equation", number=found["rate"], unit="/s",
               reach=at_least(15_000_000)),
        Figure(what="processor time for each block", number=found["cpu"], unit="µs"),
        Figure(what="blocks lost", number=found["lost"], unit="", reach=at_most(0)),
    ]  # fmt: skip


def _round_of_blocks(load: Load, bridge: Part) -> Numbers:
    before = cpu_of(bridge.pid)
    busy = load.closed_loop(BLOCKS, BLOCKS_AT_A_TIME)
    cpu = cpu_of(bridge.pid) - before
    return {"rate": busy.rate * SAMPLES, "cpu": cpu / busy.answered * 1e6, "lost": busy.lost}
