"""A board from its pins to its points and back: a real kernel, broker, bridge and agent."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, Bench, Ear, Recorder
from tests.hardware.guest.installation.line_watch import LineWatch
from tests.hardware.guest.sim_chip import SimChip

ROUNDS = 100

INPUTS = (5, 6)
OUTPUTS = (17, 18, 21, 22, 23, 24, 25, 26)
LOW = {"active_low": True}
MORE: dict[str, Any] = {
    name: {"interface": "gpio", "direction": "output", "on_lost": "hold", **point}
    for name, point in {
        "lamp": {"channel": "21", "on_start": "on"},
        "heater": {"channel": "22", "on_start": "last", "settings": LOW},
        "fan": {"channel": "23", "on_start": "off", "settings": LOW},
        "bus": {"channel": "port", "on_start": "last"},
    }.items()
}
"""Outputs with every policy there is at the start, beside `pump` (off) and `valve` (last); `bus` is 24, 25 and 26."""


def counts(parameters: Path, count: int) -> None:
    (parameters / "adc").write_text(",".join(["0", "0", "0", str(count), "0", "0", "0", "0"]))


def wait_good(ear: Ear, point: str, since: int) -> None:
    ear.wait_for(f"quality/{point}", "good", since)


def wait_bad(ear: Ear, point: str, reason: str, since: int) -> None:
    ear.wait(f"quality/{point}", lambda payload: payload.startswith("bad: ") and reason in payload, since)


def applied(ear: Ear, point: str, wanted: Callable[[Any], Any], since: int) -> dict[str, Any]:
    document = ear.wait_json("config/applied", lambda said: wanted(said["points"].get(point, {})), since)
    return dict(document["points"])


@pytest.mark.parametrize("count", [0, 512, 1, 1023, 333])
def test_a_count_of_the_converter_becomes_the_right_percentage(ear: Ear, parameters: Path, count: int) -> None:
    since = ear.now()
    counts(parameters, 700)
    ear.wait_for("raw/adc/3", "700", since)
    since = ear.now()
    counts(parameters, count)
    ear.wait("value/tank", lambda payload: float(payload) == (float(count) / 1023) * 100, since)
    assert ear.last("raw/adc/3") == str(count)
    assert ear.last("quality/tank") == "good"


def test_a_pulled_input_reaches_its_value_by_its_edge_and_says_when(ear: Ear, chip: SimChip) -> None:
    for level, edge in ((1, "rising"), (0, "falling")):
        since, started, unix = ear.now(), time.monotonic_ns(), time.time_ns()
        chip.pull(5, level)
        event = ear.wait_json("event/gpio/5", bool, since)
        ear.wait_for("value/button", str(level), since)
        assert started <= event["mono_ns"] <= time.monotonic_ns()
        assert abs((event["t_ns"] - unix) - (event["mono_ns"] - started)) < 50_000_000
        assert (event["edge"], event["lost"]) == (edge, 0)
    assert ear.last("quality/button") == "good"


def test_an_input_that_did_not_ask_for_events_has_its_value_without_them(ear: Ear, chip: SimChip) -> None:
    since = ear.now()
    chip.pull(6, 1)
    ear.wait_for("value/door", "1", since)
    chip.pull(6, 0)
    ear.wait_for("value/door", "0", since)
    assert ear.payloads("event/gpio/6") == []


def test_a_plain_number_drives_the_line_and_the_result_is_what_the_pin_reads_back(ear: Ear, chip: SimChip) -> None:
    for level in (1, 0):
        since = ear.now()
        ear.say("value/pump/set", str(level))
        result = ear.wait_json("value/pump/result", bool, since)
        assert chip.value(17) == level
        assert (result["status"], result["raw"], result["value"]) == ("done", level, level)
        ear.wait_for("value/pump", str(level), since)


def test_a_line_that_somebody_holds_names_the_holder_disturbs_nobody_and_recovers(
    bench: Bench, ear: Ear, admin: Client, chip: SimChip
) -> None:
    assert admin.set(f"{BOARD}/pump", 1).done and admin.set(f"{BOARD}/valve", 0).done
    # Up while nobody holds it, so that its fall is our doing.
    chip.pull(19, 1)
    since = ear.now()
    with bench.held(19) as holder, Recorder(chip, 17, 18, 19) as lines:
        relay = {"interface": "gpio", "channel": "19", "direction": "output"}
        assert admin.configure(BOARD, {"points": {"relay": relay}}).ok
        points = applied(ear, "relay", lambda said: said.get("error"), since)
        assert "GPIO19 is held by 'pump-daemon'" in points.pop("relay")["error"]
        assert all(said == {"ok": True} for said in points.values()), points
        wait_bad(ear, "relay", "GPIO19 is held by 'pump-daemon'", since)
        refused = admin.set(f"{BOARD}/relay", 0)
        assert refused.status == "refused" and "pump-daemon" in refused.reason
        assert admin.set(f"{BOARD}/valve", 1).done
        assert not any(payload != "good" for payload in ear.payloads("quality/pump", since))
        lines.look()
        since = ear.now()
        holder.communicate()
        assert applied(ear, "relay", lambda said: said.get("ok"), since)["relay"] == {"ok": True}
        wait_good(ear, "relay", since)
    # Ours takes it as its policy says, off; the neighbours moved only when they were told to.
    assert lines.seen == [(1, 0, 1), (1, 1, 1), (1, 1, 0)]
    assert admin.set(f"{BOARD}/relay", 1).done and chip.value(19) == 1
    since = ear.now()
    assert admin.configure(BOARD, {"points": {"relay": None}}).ok
    ear.wait_for("quality/relay", "", since)


def test_a_converter_that_does_not_answer_makes_its_point_bad_and_no_other(
    ear: Ear, admin: Client, parameters: Path
) -> None:
    counts(parameters, 250)
    since = ear.now()
    (parameters / "fail").write_text("1")
    wait_bad(ear, "tank", "(EIO)", since)
    assert "EIO" in applied(ear, "tank", lambda said: said.get("error"), since)["tank"]["error"]
    ear.wait_for("raw/adc/3", "", since)
    assert admin.read(f"{BOARD}/tank").value is not None
    assert admin.set(f"{BOARD}/pump", 1).done
    assert ear.payloads("quality/pump", since) == ear.payloads("quality/button", since) == []
    since = ear.now()
    counts(parameters, 260)
    (parameters / "fail").write_text("0")
    wait_good(ear, "tank", since)
    ear.wait("value/tank", lambda payload: float(payload) == 260 / 1023 * 100, since)


@pytest.mark.parametrize("also", ["the agent alone", "its outputs' process as well"])
def test_an_agent_that_was_killed_comes_back_and_moves_only_what_its_policies_say(
    bench: Bench, ear: Ear, admin: Client, chip: SimChip, also: str
) -> None:
    alone = also == "the agent alone"
    assert admin.configure(BOARD, {"points": MORE}).ok
    for point, raw in {"pump": 1, "valve": 1, "lamp": 0, "heater": 1, "fan": 1, "bus": 5}.items():
        assert admin.set(f"{BOARD}/{point}", raw).done
    # The resistors of the board keep each line where it is while nobody holds it: what moves was driven.
    for line, level in chip.values().items():
        chip.pull(line, level)
    with bench.held(20), Recorder(chip, *OUTPUTS, *INPUTS, 20) as lines, LineWatch(chip) as watch:
        before, since = chip.values(), ear.now()
        assert [before[line] for line in OUTPUTS] == [1, 1, 0, 0, 0, 1, 0, 1]
        bench.kill_agent(and_holder=not alone)
        ear.wait_for("status", "offline", since)
        ear.wait("quality/pump", lambda payload: payload.startswith("stale"), since)
        told = admin.set(f"{BOARD}/pump", 1)
        assert told.status == "refused" and told.reason
        if alone:
            lines.wait_for(17, 0)
        since = ear.now()
        bench.start_agent()
        for point in ("tank", "button", "pump", "valve", *MORE):
            wait_good(ear, point, since)
        after = chip.values()
    # Off, on and off again as `on_start` has it; the rest is as it was, and never was anything else. What is held by a
    # process that lives is not taken anew: the pump goes off, all others are to hold.
    moved = {17: [1, 0]} if alone else {17: [1, 0], 21: [0, 1], 23: [0, 1]}
    assert {line: levels for line, levels in lines.moves.items() if len(levels) > 1} == moved
    assert after == before | {line: levels[-1] for line, levels in moved.items()}
    # An output has its first value in the request that makes it one; a line that no point uses is not even asked for.
    kinds = dict.fromkeys(INPUTS, "input") | ({} if alone else dict.fromkeys(OUTPUTS, "output"))
    assert watch.befell == {line: ["let go", f"taken: {kind}"] for line, kind in kinds.items()}
    assert admin.read(f"{BOARD}/button").value == before[5]
    assert admin.set(f"{BOARD}/pump", 1).done and chip.value(17) == 1
    assert admin.configure(BOARD, {"points": dict.fromkeys(MORE)}).ok


def test_a_set_that_reaches_a_stopped_agent_late_is_not_executed(
    bench: Bench, ear: Ear, admin: Client, chip: SimChip
) -> None:
    assert admin.set(f"{BOARD}/pump", 0).done
    since = ear.now()
    with Recorder(chip, 17) as lines, ThreadPoolExecutor() as people:
        with bench.stopped_agent():
            stopped = time.monotonic()
            ear.say("value/pump/set", "1")
            asked = people.submit(admin.set, f"{BOARD}/pump", 1)
            # The writes are on their way; the board falls silent, and whoever asks now is told at once.
            ear.wait("raw/gpio/17/set", bool, since)
            ear.wait("quality/pump", lambda payload: payload.startswith("stale"), since)
            told = admin.set(f"{BOARD}/pump", 1)
            assert told.status == "refused" and told.reason
            threading.Event().wait(stopped + 4 - time.monotonic())
        since_woken = ear.now()
        wait_good(ear, "pump", since_woken)
        assert admin.set(f"{BOARD}/valve", 0).done
        outcome = asked.result()
        assert outcome.status in ("failed", "expired"), outcome
    assert lines.seen == [(0,)]
    writes = [json.loads(payload) for payload in ear.payloads("raw/gpio/17/set", since)]
    late = {write["id"] for write in writes if write["value"] == 1}
    results = [json.loads(payload) for payload in ear.payloads("raw/gpio/17/result", since)]
    assert len(late) == 2
    assert {result["status"] for result in results if result["id"] in late} <= {"expired"}
    assert admin.set(f"{BOARD}/pump", 1).done and chip.value(17) == 1


def test_a_hundred_sets_and_a_hundred_edges_arrive(
    ear: Ear, chip: SimChip, record_property: Callable[[str, object], None]
) -> None:
    # What the agent says of the line comes just after the line: looking at it all the time would hold the rest up.
    ways = ("set to line", "set to result", "pull to value")
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for n in range(ROUNDS):
        level = 1 - chip.value(17)
        since, started = ear.now(), time.monotonic()
        ear.say("value/pump/set", str(level))
        result_at, result = ear.wait_timed("value/pump/result", bool, since)
        line_at, _ = ear.wait_for("raw/gpio/17", str(level), since)
        assert (json.loads(result.payload)["status"], chip.value(17)) == ("done", level)
        since, pulled = ear.now(), time.monotonic()
        chip.pull(6, (n + 1) % 2)
        value_at, _ = ear.wait_for("value/door", str((n + 1) % 2), since)
        for way, seconds in zip(ways, (line_at - started, result_at - started, value_at - pulled), strict=True):
            taken[way].append(seconds * 1000)
    for way, milliseconds in taken.items():
        found = statistics.quantiles(milliseconds, n=100)
        record_property(f"{way} p50, p95 in ms", f"{found[49]:.1f}, {found[94]:.1f}")
