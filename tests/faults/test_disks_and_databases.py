"""Disks fill up, databases vanish, come back old, are cut short or locked: all is right again, and nothing is lost."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import kill
from pathlib import Path
from typing import Any

import pytest

from tests.faults.disk import full, need, read_only, small_disk
from tests.faults.parts import eventually
from tests.faults.site import Site
from tests.witness import Witness

DISKS = {"broker": 600, "bridge": 8_000, "agent": 2_000}
"""Kilobytes."""


class Ground:
    """A site whose broker, bridge and agent keep their files on small disks of their own."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self.folders = {"broker": folder / "var" / "broker", "bridge": folder / "bridge", "agent": folder / "agent"}
        mounted = [held.enter_context(small_disk(self.folders[name], size)) for name, size in DISKS.items()]
        self.small = all(mounted)
        self.site = Site(folder, bridge={"state": self.folders["bridge"]}, agent={"state": self.folders["agent"]})
        held.callback(self.site.close)

    @property
    def broker_database(self) -> Path:
        return self.folders["broker"] / "mosquitto.db"

    def restart(self, name: str) -> None:
        """Kill a process by -9 and start it again."""
        self.site.processes[name].kill()
        self.site.processes[name].start()

    def save_broker_database(self) -> None:
        """Have Mosquitto write its database now."""
        self.broker_database.unlink(missing_ok=True)
        kill(self.site.parts.mosquitto, signal.SIGUSR1)
        eventually(self.broker_database.exists, "a database of the broker's")

    def label(self, text: str) -> Any:
        """Change the configuration by a label; the answer."""
        with self.site.admin() as client:
            return client.configure("demo", {"points": {"lamp": {"label": text}}})


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ExitStack() as held:
        yield Ground(tmp_path_factory.mktemp("ground"), held)


@pytest.fixture
def witness(ground: Ground) -> Iterator[Witness]:
    made = ground.site.witness()
    yield made
    made.close()


@contextmanager
def nothing_lost(ground: Ground, witness: Witness) -> Iterator[None]:
    """Whatever happens meanwhile: all is right again in time, and what was acknowledged before is in force."""
    answer = ground.label("before")
    assert answer.ok
    yield
    witness.wait_until_right()
    with ground.site.admin() as client:
        assert client.configuration("demo")["points"]["lamp"]["label"] == "before"
        assert client.configuration("demo")["revision"] >= answer.revision
        witness.wait(lambda seen: f'"revision":{client.configuration("demo")["revision"]},'.encode()
                     in seen["piio/demo/config/applied"])  # fmt: skip


@pytest.mark.parametrize("fate", ["deleted", "cut short", "nonsense"])
def test_a_broker_whose_database_is_broken_starts_without_it(ground: Ground, witness: Witness, fate: str) -> None:
    with nothing_lost(ground, witness):
        ground.save_broker_database()
        ground.site.processes["broker"].kill()
        whole = ground.broker_database.read_bytes()
        if fate == "deleted":
            ground.broker_database.unlink()
        else:
            ground.broker_database.write_bytes(whole[: len(whole) // 2] if fate == "cut short" else b"nonsense" * 99)
        ground.site.processes["broker"].start()


def test_an_old_database_of_the_broker_brings_nothing_back(ground: Ground, witness: Witness) -> None:
    with ground.site.admin() as client:
        assert client.configure("demo", {"points": {"gone": {"interface": "adc", "channel": "5"}}}).ok
        witness.wait(lambda seen: seen.get("piio/demo/value/gone"))
        ground.save_broker_database()
        old = ground.folders["broker"] / "old.db"
        shutil.copyfile(ground.broker_database, old)
        assert client.configure("demo", {"points": {"gone": None}}).ok
    with nothing_lost(ground, witness):
        ground.site.processes["broker"].kill()
        old.replace(ground.broker_database)
        ground.site.processes["broker"].start()
    assert not witness.seen.get("piio/demo/value/gone")
    assert not witness.seen.get("piio/demo/quality/gone")
    assert b'"gone"' not in witness.seen["piio/demo/config"]


def test_a_broker_on_a_full_disk_goes_on_and_starts_again(ground: Ground, witness: Witness) -> None:
    need(ground.small)
    with nothing_lost(ground, witness), full(ground.folders["broker"]):
        kill(ground.site.parts.mosquitto, signal.SIGUSR1)
        witness.act("lamp", 1)
        kill(ground.site.parts.mosquitto, signal.SIGKILL)
        witness.wait_until_right()
        ground.restart("broker")
        witness.wait_until_right()


def test_an_agent_whose_disk_is_full_goes_on_and_takes_new_configurations(ground: Ground, witness: Witness) -> None:
    need(ground.small)
    with nothing_lost(ground, witness), full(ground.folders["agent"]):
        assert ground.label("while there is no room").ok
        witness.wait_until_right()
        ground.restart("agent")
        witness.wait_until_right()
        assert ground.label("before").ok


def test_an_agent_whose_folder_is_read_only_goes_on_and_takes_new_configurations(
    ground: Ground, witness: Witness
) -> None:
    need(ground.small)
    with nothing_lost(ground, witness):
        ground.site.processes["agent"].kill()
        ground.site.parts.end_outputs()
        with read_only(ground.folders["agent"]):
            ground.site.processes["agent"].start()
            witness.wait_until_right()
            assert ground.label("while nothing can be written").ok
            assert ground.label("before").ok
            ground.site.processes["agent"].kill()
            ground.site.parts.end_outputs()
        ground.site.processes["agent"].start()
