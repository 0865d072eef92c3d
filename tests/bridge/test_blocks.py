"""Blocks of raws become blocks of values: one equation over all samples, times and losses kept."""

from array import array
from collections.abc import Callable
from typing import Any

import pytest

from piio_bridge.data.blocks import Blocks
from piio_bridge.data.readings import Readings
from piio_schemas.blocks import EDGES, LARGEST_BLOCK, Block, capacity, read_block
from piio_schemas.configuration import read_configuration
from tests.bridge.peers import Board, Broker, Peer
from tests.bridge.test_readings import HandClock, Notebook

FAST = {"interface": "adc", "channel": "0", "equation": "(float(x) / 1023) * 100", "sample_rate": 1000}
T_NS = 1_795_253_400_000_000_000


class Bench:
    """A board called demo, and what becomes of its blocks."""

    def __init__(self, **points: object) -> None:
        self.readings = Readings("piio", HandClock(), Notebook())
        self.readings.configure("demo", read_configuration({"points": points}))
        self._blocks = Blocks(self.readings)

    def raw(self, channel: str, payload: str) -> None:
        self.readings.take([(f"piio/demo/raw/{channel}".encode(), payload.encode())])

    def turn(self, samples: "array[float]", lost: int = 0, flags: int = 0) -> dict[str, list[Block]]:
        """Take a block of channel adc/0; return what is published, by point."""
        payload = Block(T_NS, 1_000_000, samples, flags, lost).to_bytes()
        found: dict[str, list[Block]] = {}
        for topic, values in self._blocks.take([(b"piio/demo/block/adc/0", payload)]):
            assert len(values) <= LARGEST_BLOCK
            found.setdefault(topic.decode().removeprefix("piio/demo/values/"), []).append(read_block(values))
        return found


def test_each_sample_goes_through_the_equation_and_keeps_its_time() -> None:
    [block] = Bench(tank=FAST).turn(array("H", [0, 512, 1023]), lost=7)["tank"]
    assert (block.t_ns, block.spacing_ns, block.lost) == (T_NS, 1_000_000, 7)
    assert block.samples.typecode == "f"
    assert block.samples.tolist() == pytest.approx([0, 512 / 1023 * 100, 100])


@pytest.mark.parametrize(
    ("samples", "typecode"),
    [(array("H", [65535]), "f"), (array("h", [-32768]), "f"), (array("i", [2**31 - 1]), "d"), (array("d", [0.1]), "d")],
    ids=lambda given: getattr(given, "typecode", given),
)
def test_without_an_equation_values_are_the_raws_to_the_last_digit(samples: "array[float]", typecode: str) -> None:
    [block] = Bench(tank=FAST | {"equation": None}).turn(samples)["tank"]
    assert (block.samples.typecode, block.samples.tolist()) == (typecode, samples.tolist())


def test_values_that_a_short_float_cannot_hold_are_long() -> None:
    [block] = Bench(tank=FAST | {"equation": "x * 10**38"}).turn(array("H", [1, 1023]))["tank"]
    assert block.samples.tolist() == [1e38, 1023e38]


def test_what_is_too_long_for_one_block_becomes_several_that_follow_each_other() -> None:
    samples = array("H", range(capacity("H")))
    blocks = Bench(tank=FAST | {"equation": "x + 1"}).turn(samples, lost=3)["tank"]
    assert [block.lost for block in blocks] == [3, 0]
    assert [block.t_ns for block in blocks] == [T_NS, T_NS + len(blocks[0].samples) * 1_000_000]
    assert [value for block in blocks for value in block.samples] == [sample + 1 for sample in samples]


def test_other_points_count_with_their_newest_value_and_a_block_without_one_is_counted_as_lost() -> None:
    bench = Bench(tank=FAST | {"equation": "x + zero"}, zero={"interface": "adc", "channel": "1"})
    assert bench.turn(array("H", [1, 2]), lost=1) == {}
    bench.raw("adc/1", "100")
    [block] = bench.turn(array("H", [1, 2]))["tank"]
    assert (block.samples.tolist(), block.lost) == ([101, 102], 3)
    bench.raw("adc/1", "200")
    [block] = bench.turn(array("H", [1, 2]))["tank"]
    assert (block.samples.tolist(), block.lost) == ([201, 202], 0)


def test_a_sample_whose_value_is_not_finite_is_no_number_and_the_others_stand() -> None:
    [block] = Bench(tank=FAST | {"equation": "1 / x"}).turn(array("H", [2, 0, 4]))["tank"]
    assert block.samples[0] == 0.5 and block.samples[1] != block.samples[1] and block.samples[2] == 0.25


def test_an_equation_without_raw_gives_as_many_values_as_there_are_samples() -> None:
    [block] = Bench(tank=FAST | {"equation": "5"}).turn(array("H", [1, 2, 3]))["tank"]
    assert block.samples.tolist() == [5, 5, 5]


def test_only_points_that_asked_for_samples_get_their_values() -> None:
    bench = Bench(tank=FAST, slow=FAST | {"sample_rate": None}, double=FAST | {"equation": "x * 2"})
    assert set(bench.turn(array("H", [1]))) == {"tank", "double"}


def test_edges_are_no_values_and_nonsense_is_counted() -> None:
    bench = Bench(tank=FAST)
    assert bench.turn(array("i", [1, 2]), flags=EDGES) == {}
    assert bench.readings.malformed == 0
    assert Blocks(bench.readings).take([(b"piio/demo/block/adc/0", b"PB nonsense")]) == []
    assert bench.readings.malformed == 1


def test_values_come_through_a_broker_and_are_not_kept_there(
    broker: Broker, anna: Peer, board: Board, configure: Callable[..., Any]
) -> None:
    configure({"tank": FAST})
    topic = f"piio/{board.name}/values/tank"
    for count in (0, 1023):
        block = Block(T_NS, 1_000_000, array("H", [count] * 100))
        board.publish(f"piio/{board.name}/block/adc/0", block.to_bytes(), qos=0)
        heard = read_block(anna.wait(topic, lambda payload, t=count: read_block(payload).samples[0] == t / 10.23))
        assert (heard.t_ns, set(heard.samples)) == (T_NS, {count / 10.23})
    late = Peer(broker, f"piio/{board.name}/#")
    # What is retained comes before what is said now.
    late.publish(f"piio/{board.name}/viewers/late", {"seconds": 1})
    late.wait(f"piio/{board.name}/viewers/late")
    assert late.last(topic) is None
    late.close()
