"""The lease of a database: who has it, who may take it, and what is refused of who had it before."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from piio_bridge.clock import SystemClock
from piio_bridge.leadership import MAY_LEAD, Leadership
from piio_bridge.store.configurations import Configurations, Superseded
from piio_bridge.store.database import open_database
from piio_bridge.store.lease import Held, Lease
from tests.apart import run_apart

Make = Callable[[], Lease]


class Clock(SystemClock):
    """A clock that is turned by hand."""

    now = 1000.0

    def boottime(self) -> float:
        return self.now


@pytest.fixture
def bridge(database: str) -> Make:
    """Makes what each bridge has of the one lease."""
    return lambda: Lease(open_database(database))


def taken(lease: Lease) -> Held:
    held = lease.take(lease.look())
    assert held is not None
    return held


def test_a_lease_that_goes_on_cannot_be_taken(bridge: Make) -> None:
    first, second = bridge(), bridge()
    held = taken(first)
    seen = second.look()
    assert first.renew(held)
    assert second.take(seen) is None
    assert first.renew(held)


def test_a_lease_that_stands_still_can_be_taken_once_and_its_holder_learns_of_it(bridge: Make) -> None:
    first, second, third = bridge(), bridge(), bridge()
    held = taken(first)
    seen = second.look()
    assert third.look() == seen
    newer = second.take(seen)
    assert newer is not None
    assert third.take(seen) is None
    assert (newer.store, newer.epoch) == (held.store, held.epoch + 1)
    assert not first.renew(held)


def test_it_is_known_at_once_that_a_holder_is_dead_but_not_that_it_hangs(tmp_path: Path) -> None:
    first, second = (Lease(open_database(f"sqlite:///{tmp_path}/shared.db")) for _ in range(2))
    taken(first)
    assert not second.is_free(second.look())
    first.close()  # as the kernel does when its process ends
    assert second.is_free(second.look())


def test_who_led_before_changes_nothing_in_the_database(bridge: Make, database: str) -> None:
    clock, first, second = Clock(), bridge(), bridge()
    engine = open_database(database)
    older = Leadership(first, taken(first), clock.now, clock, asyncio.Event())
    configurations = Configurations(engine, older)
    configurations.add("demo", {"points": {}}, by="anna")
    newer = Leadership(second, taken(second), clock.now, clock, asyncio.Event())
    with pytest.raises(Superseded):
        configurations.add("demo", {"points": {}}, by="late")
    assert not older.holds(), "it asks before it does anything else"
    assert [each.by for each in Configurations(engine, newer).revisions("demo")] == ["anna"]


def test_who_could_not_renew_for_too_long_leads_again_only_when_the_database_confirms_it(bridge: Make) -> None:
    async def act() -> None:
        clock, first, second = Clock(), bridge(), bridge()
        leadership = Leadership(first, taken(first), clock.now, clock, asyncio.Event())
        clock.now += MAY_LEAD
        assert not leadership.holds()
        assert await leadership.confirm()
        assert leadership.holds()
        clock.now += MAY_LEAD
        taken(second)
        assert not await leadership.confirm()
        assert leadership.over

    run_apart(act())
