"""Whoever is killed, in any order: all is right again within 10 s, and no line moved that policy did not move."""

import os
import signal
from urllib.request import urlopen

import pytest

from tests.conftest import RunningInstallation
from tests.witness import Witness, all_is_right

WITHIN = 10.0


def kill(victim: RunningInstallation, service: str) -> None:
    """Kill a service by -9; with the broker, its database is gone too."""
    if service != "broker":
        victim.kill(service)
        return
    for pid, command in victim.processes().items():
        if command[0].endswith(b"mosquitto"):
            os.kill(pid, signal.SIGKILL)
    (victim.state / "broker" / "mosquitto.db").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "order",
    [
        ("broker",),
        ("bridge",),
        ("webapp",),
        ("agent",),
        ("broker", "bridge", "webapp", "agent"),
        ("agent", "webapp", "bridge", "broker"),
        ("bridge", "broker"),
        ("agent", "broker", "agent"),
    ],
    ids="+".join,
)
def test_all_is_right_again_within_ten_seconds(
    victim: RunningInstallation, witness: Witness, order: tuple[str, ...]
) -> None:
    witness.act("lamp", 1)
    before = len(witness.trace("17"))
    revision = witness.seen["piio/demo/config"]
    for service in order:
        kill(victim, service)
        victim.wait_until_replaced(service)
    witness.reconnect()
    witness.wait(all_is_right, WITHIN)
    witness.act("lamp", "toggle")
    assert _points(witness.seen["piio/demo/config"]) == _points(revision)
    moves = [entry for entry in witness.trace("17")[before:] if entry.get("by") == "output"]
    opened = [entry["level"] for entry in witness.trace("17")[before:] if entry.get("event") == "open"]
    if opened:
        # The next agent took longer than its outputs wait.
        assert "agent" in order
        assert set(opened) == {0}, "on_start is off"
        assert [entry["level"] for entry in moves] == [0, 1], "it went safe, and our own toggle moved it"
    else:
        assert [entry["level"] for entry in moves] == [0], "nothing but our own toggle moved the line"
    with urlopen(victim.env["PIIO_WEB_URL"] + "/healthz", timeout=5) as page:
        assert page.status == 200


def _points(document: bytes) -> bytes:
    return document.partition(b'"points"')[2]
