"""Random kills and stops of every process while outputs are driven: nothing is left on, acts late or is lost."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

import piio
from tests.conftest import RunningInstallation, simulated_installation
from tests.faults.account import together_on, too_long_on, turns, unasked
from tests.faults.ordeal import Ordeal, points
from tests.faults.parts import eventually
from tests.witness import WITHIN, Witness, all_is_right

FAULTS = int(os.environ.get("PIIO_SOAK_FAULTS", "200"))
SEED = int(os.environ.get("PIIO_SOAK_SEED", str(random.randrange(10**6))))


class Burden(Struct, frozen=True):
    """What a process takes of the machine."""

    memory: int
    """Bytes."""
    threads: int
    descriptors: int


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningInstallation]:
    with simulated_installation(tmp_path) as made:
        yield made


@pytest.mark.timeout(150)
def test_ten_kills_and_stops_leave_nothing_on_and_lose_nothing(running: RunningInstallation) -> None:
    endure(running, 10, seed=575)  # it kills and stops each process once


@pytest.mark.soak
@pytest.mark.timeout(120 + FAULTS * 8)
def test_a_long_ordeal_leaves_nothing_on_loses_nothing_and_nothing_grows(
    running: RunningInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nPIIO_SOAK_SEED={SEED} PIIO_SOAK_FAULTS={FAULTS}", flush=True)
    endure(running, FAULTS, SEED)


def endure(running: RunningInstallation, faults: int, seed: int) -> None:
    """Go through an ordeal, and look at everything afterwards."""
    witness = Witness(running.state)
    try:
        witness.wait(all_is_right)
        with piio.connect(running.env["PIIO_ADMIN_URL"]) as client:
            assert client.configure("demo", {"points": points()}).ok
        witness.wait_until_right()
        before = burdens(running)
        ordeal = Ordeal(running, seed)
        ordeal.go(faults)
        took = witness.wait_until_right(within=WITHIN)
        ordeal.finish()
        print(f"right after {took:.1f} s; " + ", ".join(ordeal.faults))
        check_outputs(witness, ordeal)
        check_configuration(running, ordeal)
        check_burdens(before, running)
    finally:
        witness.close()


def check_outputs(witness: Witness, ordeal: Ordeal) -> None:
    """What the trace says of every line."""
    history = list(turns(witness.traced()))
    assert any(turn.on and not turn.opened for turn in history), "lines were driven at all"
    assert too_long_on(history, ordeal.stops_of_lines()) == []
    assert together_on(history) == []
    assert unasked(history, ordeal.driver.asked) == []


def check_configuration(running: RunningInstallation, ordeal: Ordeal) -> None:
    """Every revision that was acknowledged is there, and the newest of them or a later one is in force."""
    acknowledged = ordeal.author.acknowledged
    assert acknowledged, "the configuration was changed at all"
    with piio.connect(running.env["PIIO_ADMIN_URL"]) as client:
        kept = {revision.revision for revision in client.revisions("demo")}
        assert {each.revision for each in acknowledged} - kept == set()
        configuration = client.configuration("demo")
    newest = acknowledged[-1]
    assert configuration["revision"] >= newest.revision
    number = int(configuration["points"]["f1"]["label"].removeprefix("label "))
    assert number >= int(newest.label.removeprefix("label ")), "an acknowledged change was undone"


def check_burdens(before: dict[str, Burden], running: RunningInstallation) -> None:
    """No process takes more than it took, but for what a moment may bring."""

    def calm() -> bool:
        return all(
            burden.threads <= before[name].threads + 2 and burden.descriptors <= before[name].descriptors + 4
            for name, burden in burdens(running).items()
        )

    eventually(calm, f"as few threads and descriptors as before, {before}, but {burdens(running)}", 10)
    for name, burden in burdens(running).items():
        assert burden.memory < before[name].memory * 1.3 + 20e6, f"{name}: {before[name]} before, {burden} after"


def burdens(running: RunningInstallation) -> dict[str, Burden]:
    """Return what the supervisor and each service take now."""
    pids = {"up": running.process.pid} | {name: running.pid(name) for name in ("bridge", "agent", "webapp", "broker")}
    return {name: _burden(pid) for name, pid in pids.items() if pid is not None}


def _burden(pid: int) -> Burden:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    memory = int(status["VmRSS"].split()[0]) * 1024
    return Burden(memory, int(status["Threads"]), len(list(Path(f"/proc/{pid}/fd").iterdir())))
