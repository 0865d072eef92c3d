"""What the outputs' process tells an agent that reads, and one that does not."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from piio_agent.channel import ChannelId
from piio_agent.holder.messages import EdgesSeen
from piio_agent.holder.outbox import Outbox
from piio_agent.holder.wire import Wire
from piio_agent.interfaces.contract import Edge
from piio_agent.outputs.messages import Became, Outcome, Report

PATIENCE = 5.0

LAMP, DOOR = ChannelId("gpio", "17"), ChannelId("gpio", "5")


class Ends:
    """A holder's outbox, and the agent's end of its wire."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._wire: Wire[Any] = Wire(ours, Any)
        self.outbox = Outbox(self._wire)
        self.agent: Wire[Report | EdgesSeen] = Wire(theirs, Report | EdgesSeen)

    def tell(self, *ids: int) -> None:
        """Tell outcomes with these ids."""
        for id in ids:
            self.outbox.put(Outcome(str(id), LAMP, "done", "x" * 500))

    def became(self, raw: float) -> None:
        """Tell what an output is now."""
        self.outbox.put(Became(LAMP, raw), ("state", LAMP))

    def saw(self, *numbers: int) -> None:
        """Tell edges of the door with these numbers."""
        for seq in numbers:
            self.outbox.put(EdgesSeen([(DOOR, Edge("rising", 0, 0, seq))]))

    def heard(self, count: int) -> list[str]:
        """Read so many messages: ids of outcomes, raws of what became."""
        messages = [self.agent.receive(PATIENCE) for _ in range(count)]
        return [each.id if isinstance(each, Outcome) else f"={getattr(each, 'raw', None)}" for each in messages]

    def close(self) -> None:
        self.outbox.close(PATIENCE)
        self._wire.close()
        self.agent.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


def test_an_agent_that_reads_hears_it_from_the_very_thread_that_tells(ends: Ends) -> None:
    ends.became(1)
    ends.tell(1)
    # Without waiting: it was there before we asked.
    assert [ends.agent.receive(0), ends.agent.receive(0)] == [Became(LAMP, 1.0), Outcome("1", LAMP, "done", "x" * 500)]


def test_an_agent_that_does_not_read_holds_nobody_up_and_hears_all_in_its_order_later(ends: Ends) -> None:
    ends.tell(*range(8000))  # more than a wire takes
    heard: list[str] = []
    for id in range(8000, 8400):
        heard += ends.heard(20)
        ends.tell(id)
    heard += ends.heard(400)
    assert heard == [str(id) for id in range(8400)]


def test_of_what_an_output_was_while_the_agent_did_not_read_it_hears_the_newest_alone(ends: Ends) -> None:
    told = 5000
    ends.tell(*range(told))
    for raw in (1, 0, 1, 0):
        ends.became(raw)
    ends.tell(told)
    assert ends.heard(told + 2) == [*(str(id) for id in range(told)), "=0.0", str(told)]
    ends.became(1)
    assert ends.heard(1) == ["=1.0"]


def test_edges_in_rapid_succession_come_together_all_of_them_and_in_their_order(ends: Ends) -> None:
    ends.saw(*range(2000))
    ends.tell(1)
    ends.saw(2000)
    seen: list[int] = []
    sizes: list[int] = []
    while len(seen) < 2001:
        message = ends.agent.receive(PATIENCE)
        if isinstance(message, EdgesSeen):
            sizes.append(len(message.edges))
            seen += [edge.seq for _, edge in message.edges]
        else:
            assert len(seen) == 2000
    assert seen == list(range(2001))
    assert 10 < max(sizes) <= 500


def test_an_edge_after_a_pause_is_heard_from_the_very_thread_that_saw_it(ends: Ends) -> None:
    ends.saw(1)
    assert ends.agent.receive(0) == EdgesSeen([(DOOR, Edge("rising", 0, 0, 1))])
