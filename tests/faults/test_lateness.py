"""A command that is late on any leg is not executed, and its sender is told."""

import time

import pytest

from tests.conftest import RunningInstallation
from tests.witness import Witness, all_is_right, stopped


def mosquitto(victim: RunningInstallation) -> int:
    return next(pid for pid, command in victim.processes().items() if command[0].endswith(b"mosquitto"))


def service(victim: RunningInstallation, name: str) -> int:
    pid = victim.pid(name)
    assert pid is not None
    return pid


def stand_still(seconds: float) -> None:
    """Let time pass: it is the subject of these tests."""
    time.sleep(seconds)


@pytest.mark.parametrize("payload", ["1", '{"value": 1, "id": "%s"}'], ids=["plain", "with an id"])
def test_a_set_that_waited_for_a_stopped_bridge_is_not_executed(
    victim: RunningInstallation, witness: Witness, payload: str
) -> None:
    before, results = len(witness.trace("17")), len(witness.results)
    with stopped(service(victim, "bridge")):
        witness.publish("piio/demo/value/lamp/set", payload.replace("%s", f"late-{time.monotonic_ns()}"))
        stand_still(2.6)
    witness.wait(lambda _: len(witness.results) > results)
    assert witness.results[results]["status"] in ("expired", "refused")
    witness.wait(all_is_right)
    assert witness.trace("17")[before:] == []


def test_a_set_that_waited_for_a_stopped_agent_is_not_executed(victim: RunningInstallation, witness: Witness) -> None:
    before = len(witness.trace("17"))
    with stopped(service(victim, "agent")):
        result = witness.outcome("piio/demo/value/lamp", '{"value": 1, "ttl": 1.5}')
        assert (result["status"], result["reason"]) == ("failed", "outcome unknown: no result came in time")
    witness.wait(lambda seen: b'"expired"' in seen.get("piio/demo/raw/gpio/17/result", b""))
    witness.wait(all_is_right)
    assert witness.trace("17")[before:] == []


def test_a_set_that_waited_in_a_stopped_broker_is_not_executed(victim: RunningInstallation, witness: Witness) -> None:
    before, results = len(witness.trace("17")), len(witness.results)
    with stopped(mosquitto(victim)):
        witness.publish("piio/demo/value/lamp/set", "1")
        stand_still(2.6)
    witness.wait(lambda _: len(witness.results) > results or not witness._connection.connected)
    witness.wait(all_is_right)
    assert all(result["status"] in ("expired", "refused") for result in witness.results[results:])
    assert witness.trace("17")[before:] == []


def test_an_output_whose_bridge_is_gone_goes_where_it_is_safe_and_stays_there(
    victim: RunningInstallation, witness: Witness
) -> None:
    assert witness.set("lamp", 1)["status"] == "done"
    before = len(witness.trace("17"))
    with stopped(service(victim, "bridge")):
        witness.wait(lambda seen: seen.get("piio/demo/raw/gpio/17") == b"0", 14)
    witness.wait(all_is_right)
    assert [(entry["level"], entry["by"]) for entry in witness.trace("17")[before:]] == [(0, "output")]
    witness.wait(lambda seen: b"fail_safe" in seen.get("piio/demo/event/lamp", b""))
    assert witness.seen["piio/demo/value/lamp"] == b"0"
