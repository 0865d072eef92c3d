"""Somebody sets the clock, by an hour either way, while everything runs: nobody but the history notices."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.faults.clock import SteppedClock
from tests.faults.parts import LINES, POINTS, eventually
from tests.faults.site import Site
from tests.faults.volley import KINDS, Volley
from tests.standstill import stopped
from tests.witness import Witness

HOUR = 3600

LEASE = POINTS["lamp"]["lease"]

PROCESSES = ("broker", "bridge", "webapp", "agent")


class Clocks:
    """A site each of whose processes has a wall clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.of = {name: SteppedClock(folder / f"{name}.clock") for name in PROCESSES}
        self.site = Site(folder, **{name: {"environment": clock.environment} for name, clock in self.of.items()})

    def watch(self, witness: Witness, seconds: float) -> None:
        """Look at the board for so long: its inputs are read at their period."""
        witness.publish("piio/demo/viewers/admin", {"seconds": 15})
        time.sleep(seconds)

    def kept_since(self, start: float) -> bool:
        """Whether the history knows of more than a few tenths of a second in the minute from then on."""
        with self.site.admin() as client:
            return len(client.history("demo/tank", start, start + 60, buckets=600)) > 5


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clocks]:
    made = Clocks(tmp_path_factory.mktemp("clocks"))
    yield made
    made.site.close()


@pytest.fixture
def witness(clocks: Clocks) -> Iterator[Witness]:
    made = clocks.site.witness()
    yield made
    made.close()
    for clock in clocks.of.values():  # one failure must not be those of the next tests
        clock.step_to(0)


@pytest.mark.parametrize("who", PROCESSES)
def test_a_clock_that_is_set_makes_nothing_act_late_or_be_refused_or_go_stale(
    clocks: Clocks, witness: Witness, who: str
) -> None:
    witness.act("lamp", 1)
    page = clocks.site.page()
    with clocks.site.parts.connection("operator") as connection:
        volley = Volley(witness, connection)
        for step, seconds in ((HOUR, 1.5), (-HOUR, LEASE + 1)):
            begun = time.time()
            clocks.of[who].step_to(step)
            for kind in KINDS:
                volley.fire(kind)
            clocks.watch(witness, seconds)
            page.hear(0.5)  # what it has not read yet; then it echoes the newest frame
            assert page.set("demo", f"s{LINES[-1]}", int(step > 0))["status"] == "done"
            since = begun + (step if who == "bridge" else 0)
            eventually(partial(clocks.kept_since, since), "readings in the history")
        assert [result for _, _, result in volley.check() if result["status"] != "done"] == []
    clocks.of[who].step_to(0)
    page.close()
    assert witness.doubts == [], "nothing went stale or offline"
    assert witness.trace("17")[-1]["level"] == 1, "no lease ran out"


def test_a_set_that_waited_is_too_old_whatever_the_clocks_say(clocks: Clocks, witness: Witness) -> None:
    with clocks.site.parts.connection("operator") as connection:
        volley = Volley(witness, connection)
        with stopped(clocks.site.pid("agent")):
            clocks.of["agent"].step_to(-HOUR)
            volley.fire_for(2.7)
        clocks.of["agent"].step_to(0)
        volley.check()
