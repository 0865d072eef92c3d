"""A configuration pushed while outputs are on changes only what it names: the board's trace is the witness."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import piio
from tests.conftest import RunningInstallation
from tests.witness import Witness

PUMP = {"interface": "gpio", "channel": "5", "direction": "output"}
VALVE = {"interface": "gpio", "channel": "6", "direction": "output"}


@pytest.fixture
def witness(installation: RunningInstallation) -> Iterator[Witness]:
    made = Witness(installation.state)
    yield made
    made.close()


@pytest.fixture
def configure(installation: RunningInstallation, witness: Witness) -> Iterator[Callable[[Any], None]]:
    """Patches the points of `demo` and waits until the board has applied it; at the end all is as it was."""
    with piio.connect(installation.env["PIIO_ADMIN_URL"]) as client:
        before = client.configuration("demo")

        def configure(points: Any) -> None:
            answer = client.configure("demo", {"points": points})
            assert answer.ok, answer
            witness.wait(
                lambda seen: json.loads(seen.get("piio/demo/config/applied", b"{}")).get("revision") == answer.revision
            )

        yield configure
        document = {key: before[key] for key in ("points", "displays")}
        assert client.configure("demo", config=document).ok


def test_only_what_is_named_is_touched(witness: Witness, configure: Callable[[Any], None]) -> None:
    configure({"pump": PUMP, "valve": VALVE})
    for point in ("pump", "valve"):
        witness.wait(lambda seen, point=point: seen.get(f"piio/demo/quality/{point}") == b"good")
        witness.act(point, 1)
    pump, valve = len(witness.trace("5")), len(witness.trace("6"))

    configure({"tank": {"period": 0.2, "equation": "x"}, "pump": {"label": "Pump", "unit": "", "max_on": 3600}})
    configure({"temperature": None, "another": {"interface": "gpio", "channel": "7", "direction": "output"}})
    configure({"pump": None, "renamed": {**PUMP, "max_on": 3600}})
    assert witness.trace("5")[pump:] == []
    assert witness.trace("6")[valve:] == []

    configure({"valve": {"settings": {"active_low": True}}})
    assert witness.trace("5")[pump:] == []
    assert witness.trace("6")[valve:] != []

    configure({"renamed": None})
    assert [entry.get("event") for entry in witness.trace("5")[pump:]][-1] == "close"
