"""Two of a kind, and starts in any order: who was first stays, and all comes together."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import Site
from tests.witness import Witness


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.fixture
def witness(site: Site) -> Iterator[Witness]:
    made = site.witness()
    yield made
    made.close()


def test_a_second_agent_of_the_same_name_changes_nothing_and_says_so(
    site: Site, witness: Witness, tmp_path: Path
) -> None:
    witness.act("lamp", 1)
    boot = witness.newest_boot()
    double = site.parts.agent(state=tmp_path, label="double").start()
    double.wait_until_said("is there already")
    witness.wait_until_right()
    assert witness.newest_boot() == boot, "the incumbent stayed"
    assert witness.doubts == [], "nobody noticed"
    site.processes["agent"].kill()
    witness.wait(lambda _: witness.newest_boot() != boot, 15)
    witness.wait_until_right()
    double.kill()
    site.processes["agent"].start()
    witness.wait_until_right()


ORDERS = list(itertools.permutations(("broker", "bridge", "webapp", "agent")))


@pytest.mark.parametrize(
    "order",
    [
        ("agent", "webapp", "bridge", "broker"),
        ("broker", "agent", "webapp", "bridge"),
        *(pytest.param(order, marks=pytest.mark.soak) for order in ORDERS),
    ],
    ids="+".join,
)
def test_the_parts_may_start_in_any_order(site: Site, witness: Witness, order: tuple[str, ...]) -> None:
    for name in order:
        site.processes[name].kill()
    for name in order:
        site.processes[name].start()
        site.processes[name].wait_until_up()
    witness.wait_until_right()
