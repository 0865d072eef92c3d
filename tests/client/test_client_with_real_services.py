"""The client and its commands against a running installation: broker, bridge, web app and a simulated board."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import piio
from piio.client import Client
from piio.reading import Reading
from piio.watch import Watch


@pytest.fixture
def operator(installation: Any) -> Iterator[Client]:
    """A person who may set points."""
    with piio.connect(installation.env["PIIO_URL"]) as client:
        yield client


@pytest.fixture
def admin(installation: Any) -> Iterator[Client]:
    """A person who may configure."""
    with piio.connect(installation.env["PIIO_ADMIN_URL"]) as client:
        yield client


def comes_to(watch: Watch, value: float) -> Reading:
    """Return the reading by which a point has come to a value."""
    while (reading := watch.next_within(5)) is not None and reading.value != value:
        continue
    assert reading is not None, f"it never came to {value:g}"
    return reading


def test_a_pin_does_what_it_is_set_to_and_is_read_back(operator: Client) -> None:
    with operator.watch("demo/lamp") as watch:
        for value in (1.0, 0.0):
            result = operator.set("demo/lamp", value)
            assert result.done and result.raw == value, result
            assert comes_to(watch, value).good


def test_a_pulse_returns_by_itself(operator: Client) -> None:
    with operator.watch("demo/lamp") as watch:
        assert operator.set("demo/lamp", 0).done
        assert operator.set("demo/lamp", 1, pulse=0.3).done
        values: list[float | None] = []
        while (reading := watch.next_within(2)) is not None:
            values.append(reading.value)
    assert values[-2:] == [1, 0]


def test_a_stop_of_all_boards_is_seen_to_have_worked_and_the_next_set_acts(operator: Client) -> None:
    with operator.watch("demo/lamp") as watch:
        for board in (None, "demo"):
            assert operator.set("demo/lamp", 1).done
            comes_to(watch, 1)
            told = next(each for each in operator.stop(board) if each.board == "demo")
            assert told.done and told.outputs >= 1, told
            comes_to(watch, 0)
    assert operator.set("demo/lamp", 1).done
    assert operator.set("demo/lamp", 0).done


@pytest.mark.parametrize(
    ("name", "value"), [("demo/lamp", 2), ("demo/tank", 1), ("demo/nothing", 1), ("nobody/lamp", 1)]
)
def test_what_cannot_be_set_is_refused_with_a_reason(operator: Client, name: str, value: float) -> None:
    result = operator.set(name, value)
    assert result.status == "refused" and result.reason


def test_a_watched_input_moves_many_times_a_second(operator: Client) -> None:
    with operator.watch("demo/tank") as watch:
        next(watch)
        readings = [watch.next_within(3) for _ in range(5)]
    assert all(reading is not None and reading.good and reading.unit == "%" for reading in readings)


def test_a_configuration_is_changed_guarded_and_restored(admin: Client) -> None:
    before = admin.configuration("demo")
    revision = before["revision"]
    answer = admin.configure("demo", {"points": {"tank": {"label": "Other"}}}, base_revision=revision)
    assert answer.ok and answer.revision == revision + 1
    late = admin.configure("demo", {"points": {"tank": {"label": "Late"}}}, base_revision=revision)
    assert not late.ok and late.errors is not None and late.errors[0].path == "base_revision"
    assert admin.restore("demo", revision).ok
    assert [entry.revision for entry in admin.revisions("demo")][:2] == [revision + 2, revision + 1]
    with admin.watch("demo/tank") as watch:
        while (reading := watch.next_within(3)) is not None and reading.label != before["points"]["tank"]["label"]:
            continue
    assert reading is not None


def test_a_refused_configuration_names_the_path(admin: Client) -> None:
    answer = admin.configure("demo", {"points": {"tank": {"equation": "y + 1"}}})
    assert not answer.ok and answer.errors is not None
    assert answer.errors[0].path == "points.tank.equation"


def test_history_and_preview_are_answered(operator: Client) -> None:
    assert operator.preview("x*2 + ambient", [0, 512], {"ambient": 1}) == [1, 1025]
    with operator.watch("demo/tank") as watch:
        next(watch)
        pause = threading.Event()
        for _ in range(50):
            if buckets := operator.history("demo/tank", buckets=10):
                break
            pause.wait(0.2)
    assert buckets and buckets[-1].min <= buckets[-1].mean <= buckets[-1].max


def test_the_commands_work_without_saying_where_the_broker_is(installation: Any) -> None:
    state = str(installation.state)
    assert float(_piio("get", "demo/tank", "--state", state)) >= 0
    assert "done" in _piio("set", "demo/lamp", "ON", "--state", state)
    assert float(_piio("get", "demo/lamp", "--state", state)) == 1
    assert "demo" in [board["name"] for board in json.loads(_piio("ls", "--json", "--state", state))]
    assert "its beacons are heard" in _piio("doctor", "--state", state)


def _piio(*arguments: str) -> str:
    command = [sys.executable, "-c", "import sys; from piio.command import main; sys.exit(main())", *arguments]
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
