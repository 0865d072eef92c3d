"""What a board read while nobody could hear it is in the history afterwards, at its times."""

import time
from itertools import pairwise
from typing import Any

import pytest

from piio import connect
from piio_mosquitto.folder import BrokerFolder
from tests.conftest import RunningInstallation
from tests.faults.parts import eventually
from tests.standstill import stopped
from tests.witness import Witness

OUTAGE = 5.0
PERIOD = 0.2


@pytest.mark.parametrize("service", ["broker", "bridge"])
def test_an_outage_leaves_no_hole_in_the_history(victim: RunningInstallation, witness: Witness, service: str) -> None:
    with connect(victim.env["PIIO_ADMIN_URL"]) as client:
        client.configure("demo", {"points": {"tank": {"period": PERIOD, "idle_period": PERIOD}}})
    told = witness.seen["piio/demo/value/tank"]
    witness.wait(lambda seen: seen["piio/demo/value/tank"] != told)
    begun = time.time()
    process = BrokerFolder(victim.state).pid() if service == "broker" else victim.pid(service)
    assert process
    with stopped(process):
        time.sleep(OUTAGE)  # it is the subject
    witness.wait_until_right()
    over = time.time()

    def kept() -> Any:
        with connect(victim.env["PIIO_ADMIN_URL"]) as client:
            history = client.history("demo/tank", begun, over, 1000)
        times = [begun, *(bucket.time for bucket in history), over]
        return not history.gaps and max(after - before for before, after in pairwise(times)) < OUTAGE / 2

    eventually(kept, "a history without a hole")
