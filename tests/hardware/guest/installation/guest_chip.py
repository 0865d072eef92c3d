"""A chip that is taken away while the board is at work, and comes back by another number."""

from __future__ import annotations

import os
import time
from pathlib import Path

from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, Bench, Ear
from tests.hardware.guest.sim_chip import SimChip

AWAY = 4.0
"""Seconds: long enough for the pauses between two tries to have become long."""


def test_points_of_a_chip_that_goes_are_bad_with_the_reason_and_come_back_by_themselves(
    bench: Bench, ear: Ear, admin: Client
) -> None:
    assert admin.set(f"{BOARD}/valve", 1).done and admin.set(f"{BOARD}/pump", 0).done
    since = ear.now()
    bench.chip.remove()
    for point in ("button", "door", "pump", "valve"):
        ear.wait(
            f"quality/{point}", lambda said: said.startswith("bad: no GPIO chip is called 'pinctrl-bcm2711'"), since
        )
    assert ear.payloads("quality/tank", since) == []
    told = admin.set(f"{BOARD}/pump", 1)
    assert told.status == "refused" and "pinctrl-bcm2711" in told.reason
    busy, lines = processor_time(bench.agent.pid), len(bench.log("agent").splitlines())
    time.sleep(AWAY)
    assert processor_time(bench.agent.pid) - busy < 0.2 * AWAY
    # The other interface may find out which chips there are now, once.
    assert len(bench.log("agent").splitlines()) - lines <= 1
    between, since = SimChip("between", 4), ear.now()
    bench.chip = SimChip("pinctrl-bcm2711")
    for point in ("button", "door", "pump", "valve"):
        ear.wait_for(f"quality/{point}", "good", since)
    # As they were: what was refused meanwhile moves nothing.
    assert (bench.chip.value(18), bench.chip.value(17)) == (1, 0)
    since = ear.now()
    bench.chip.pull(6, 1)
    ear.wait_for("value/door", "1", since)
    assert admin.set(f"{BOARD}/pump", 1).done and bench.chip.value(17) == 1
    between.remove()


def processor_time(pid: int) -> float:
    """Seconds that a process has kept the processor busy."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
