"""The bridge owns the configuration: checked, stored, published, asserted anew."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Broker, Peer

TANK = {"interface": "adc", "channel": "0", "equation": "(float(x) / 1023) * 100", "unit": "%"}
LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


def test_a_board_seen_for_the_first_time_gets_revision_0_which_is_empty(anna: Peer, board: Board) -> None:
    document = json.loads(anna.wait(f"piio/{board.name}/config"))
    assert (document["revision"], document["points"], document["displays"]) == (0, {}, {})
    assert document["store"]


def test_a_patch_is_stored_and_published_with_defaults_and_who_made_it(anna: Peer, board: Board) -> None:
    topic = f"piio/{board.name}/config"
    answer = anna.request(f"{topic}/set", {"base_revision": 0, "patch": {"points": {"tank": TANK}}, "by": "anna"})
    assert answer == {"ok": True, "revision": 1, "warnings": []}
    document = json.loads(anna.wait(topic, lambda payload: b'"revision":1' in payload))
    assert (document["by"], document["points"]["tank"]["period"]) == ("anna", 0.1)


def test_a_change_on_an_old_base_is_a_conflict(anna: Peer, board: Board, configure: Callable[..., Any]) -> None:
    configure({"tank": TANK})
    answer = anna.request(f"piio/{board.name}/config/set", {"base_revision": 0, "patch": {}})
    assert not answer["ok"]
    assert answer["errors"][0]["path"] == "base_revision"


def test_a_change_that_changes_nothing_answers_the_revision_in_force(configure: Callable[..., Any]) -> None:
    assert configure({"tank": TANK})["revision"] == 1
    assert configure({"tank": TANK})["revision"] == 1
    assert configure({"tank": {"period": 0.1}})["revision"] == 1


REFUSED: list[tuple[Any, str]] = [
    ({"x": TANK}, "points.x"),
    ({"if": TANK}, "points.if"),
    ({"sqrt": TANK}, "points.sqrt"),
    ({"Tank": TANK}, "points.Tank"),
    ({"tank": {**TANK, "colour": "red"}}, "points.tank.colour"),
    ({"tank": {**TANK, "period": 0}}, "points.tank.period"),
    ({"tank": {**TANK, "period": "fast"}}, "points.tank.period"),
    ({"tank": {**TANK, "equation": "__import__('os')"}}, "points.tank.equation"),
    ({"tank": {**TANK, "equation": "lake + 1"}}, "points.tank.equation"),
    ({"tank": {"equation": "x + 1"}}, "points.tank.equation"),
    ({"tank": {}}, "points.tank.equation"),
    ({"tank": {**TANK, "sample_rate": 0.5}}, "points.tank.sample_rate"),
    ({"tank": {**TANK, "sample_rate": 10_001}}, "points.tank.sample_rate"),
    ({"tank": {"equation": "1", "sample_rate": 100}}, "points.tank.sample_rate"),
    ({"door": {"interface": "gpio", "channel": "17", "sample_rate": 100}}, "points.door.sample_rate"),
    ({"a": {"equation": "b"}, "b": {"equation": "a"}}, "points.a.equation"),
    ({"tank": {**TANK, "interface": "spi"}}, "points.tank.interface"),
    ({"tank": {**TANK, "channel": "8"}}, "points.tank.channel"),
    ({"tank": {**TANK, "direction": "output"}}, "points.tank.direction"),
    ({"tank": {**TANK, "direction": "sideways"}}, "points.tank.direction"),
    ({"tank": {"interface": "adc"}}, "points.tank"),
    ({"lamp": {**LAMP, "settings": {"active_low": "yes"}}}, "points.lamp.settings.active_low"),
    ({"lamp": {**LAMP, "settings": {"colour": 1}}}, "points.lamp.settings"),
    ({"lamp": {**LAMP, "on_lost": 0.5}}, "points.lamp.on_lost"),
    ({"lamp": {**LAMP, "on_lost": "last"}}, "points.lamp.on_lost"),
    ({"lamp": {**LAMP, "lease": 0}}, "points.lamp.lease"),
    ({"lamp": {**LAMP, "min_on": -1}}, "points.lamp.min_on"),
    ({"lamp": {**LAMP, "min_on": 3, "max_on": 2}}, "points.lamp.max_on"),
    ({"lamp": {**LAMP, "rate": 0}}, "points.lamp.rate"),
    ({"lamp": {**LAMP, "interlock": {"group": ""}}}, "points.lamp.interlock.group"),
    ({"lamp": {**LAMP, "interlock": {"group": "a"}, "on_start": "on"}}, "points.lamp.on_start"),
    ({"lamp": {**LAMP, "interlock": {"group": "a"}, "on_lost": 1}}, "points.lamp.on_lost"),
    ({"lamp": LAMP, "lamp2": LAMP}, "points.lamp2.channel"),
    ({"duty": {"interface": "dac", "channel": "0", "direction": "output", "equation": "x*x"}}, "points.duty.inverse"),
    ({"duty": {"interface": "dac", "channel": "0", "direction": "output", "equation": "5"}}, "points.duty.equation"),
    ({"tank": [1]}, "points.tank"),
]  # fmt: skip


@pytest.mark.parametrize(("points", "path"), REFUSED, ids=[json.dumps(points)[:60] for points, _ in REFUSED])
def test_a_refusal_names_the_path_and_nothing_is_stored(anna: Peer, bridge: Bridge, points: Any, path: str) -> None:
    board = _shared_board(anna, bridge)
    before = anna.request(f"piio/{board}/request/revisions", {})
    answer = anna.request(f"piio/{board}/config/set", {"patch": {"points": points}})
    assert not answer["ok"], answer
    assert path in [error["path"] for error in answer["errors"]], answer
    assert anna.request(f"piio/{board}/request/revisions", {}) == before


def test_a_group_of_one_is_a_warning(board: Board, configure: Callable[..., Any]) -> None:
    pump = {**LAMP, "interlock": {"group": "motor"}}
    warning = "points.pump.interlock.group: no other output is in the group 'motor'"
    assert configure({"pump": pump})["warnings"] == [warning]
    assert configure({"fan": {**pump, "channel": "18"}})["warnings"] == []


_shared: dict[int, Board] = {}


def _shared_board(anna: Peer, bridge: Bridge) -> str:
    """One board for a table of refusals: none of them changes it."""
    if id(bridge) not in _shared:
        _shared[id(bridge)] = made = Board(bridge.broker, "refuser")
        made.wait("piio/refuser/config")
    return "refuser"


def test_rates_that_cannot_be_met_are_refused_with_what_could_be(anna: Peer, board: Board) -> None:
    fast = {f"s{n}": {**TANK, "channel": str(n), "sample_rate": 2000} for n in range(8)}
    slow = {"gauge": {**TANK, "channel": "7", "sample_rate": None}}
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": fast | slow}})
    told = {error["path"]: error["message"] for error in answer["errors"]}
    assert set(told) == {f"points.{name}.sample_rate" for name in fast}
    assert told["points.s3.sample_rate"] == (
        "'adc' gives 10,000 readings a second in all, its points ask for 16,000: it could be 1,250 or less here"
    )
    could = {name: {**point, "sample_rate": 1250} for name, point in fast.items()}
    assert anna.request(f"piio/{board.name}/config/set", {"patch": {"points": could | slow}})["ok"]
    # Who asks for more than is left is told what is left; the others stand as they are.
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": {"s0": {"sample_rate": 3000}}}})
    assert [error["path"] for error in answer["errors"]] == ["points.s0.sample_rate"]


def test_every_problem_of_a_change_is_told_at_once(anna: Peer, board: Board) -> None:
    points = {"tank": {**TANK, "channel": "9"}, "lamp": {**LAMP, "channel": "99"}}
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": points}})
    assert {error["path"] for error in answer["errors"]} == {"points.tank.channel", "points.lamp.channel"}


def test_a_problem_is_told_once(anna: Peer, board: Board) -> None:
    points = {"lamp": {**LAMP, "equation": "tank"}}
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": points}})
    assert [error["path"] for error in answer["errors"]] == ["points.lamp.equation"]


def test_a_patch_of_what_the_bridge_alone_decides_is_refused(anna: Peer, board: Board) -> None:
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"revision": 99, "points": {"tank": TANK}}})
    assert [error["path"] for error in answer["errors"]] == ["revision"]


def test_a_point_changes_its_direction_without_naming_the_fields_it_loses(
    anna: Peer, board: Board, configure: Callable[..., Any]
) -> None:
    configure({"door": {"interface": "gpio", "channel": "17", "label": "Door", "period": 0.5}})
    configure({"door": {"direction": "output"}})
    document = json.loads(anna.wait(f"piio/{board.name}/config", lambda payload: b'"output"' in payload))
    door = document["points"]["door"]
    assert (door["label"], door["on_lost"], "period" in door) == ("Door", "off", False)
    answer = anna.request(
        f"piio/{board.name}/config/set", {"patch": {"points": {"door": {"direction": "input", "lease": 5}}}}
    )
    assert [error["path"] for error in answer["errors"]] == ["points.door.lease"]


def test_a_number_in_the_place_of_true_is_no_small_difference(
    anna: Peer, board: Board, configure: Callable[..., Any]
) -> None:
    configure({"lamp": {**LAMP, "settings": {"active_low": True}}})
    points = {"lamp": {"settings": {"active_low": 1}}}
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": points}})
    assert [error["path"] for error in answer.get("errors", [])] == ["points.lamp.settings.active_low"]


def test_an_equation_error_carries_its_column(anna: Peer, board: Board) -> None:
    points = {"tank": {**TANK, "equation": "x + lake"}}
    answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": points}})
    assert answer["errors"][0]["column"] == 5


def test_what_the_board_lost_is_only_a_warning_for_points_not_touched(
    anna: Peer, board: Board, configure: Callable[..., Any]
) -> None:
    configure({"tank": TANK})
    board.say("capabilities", {"agent": board.name, "boot": "boot1", "software": "2", "board": {},
                               "interfaces": {"gpio": Board.CAPABILITIES["gpio"]}})  # fmt: skip
    anna.wait(f"piio/{board.name}/capabilities", lambda payload: b'"software": "2"' in payload)
    answer = configure({"lamp": LAMP})
    assert any("points.tank.interface" in warning for warning in answer["warnings"])


def test_a_board_never_seen_is_refused(anna: Peer) -> None:
    answer = anna.request("piio/atlantis/config/set", {"patch": {"points": {"tank": TANK}}})
    assert not answer["ok"]
    assert "atlantis" in answer["errors"][0]["message"]


def test_a_removed_point_loses_its_value_and_quality_within_a_second(
    anna: Peer, board: Board, configure: Callable[..., Any]
) -> None:
    configure({"tank": TANK})
    board.raw("adc/0", "512")
    anna.wait(f"piio/{board.name}/quality/tank", b"good".__eq__)
    since = anna.mark()
    anna.request(f"piio/{board.name}/config/set", {"patch": {"points": {"tank": None}}})
    anna.wait(f"piio/{board.name}/value/tank", b"".__eq__, since, timeout=1)
    anna.wait(f"piio/{board.name}/quality/tank", b"".__eq__, since, timeout=1)


def test_a_renamed_point_keeps_its_history(anna: Peer, board: Board, configure: Callable[..., Any]) -> None:
    configure({"tank": TANK})
    board.raw("adc/0", "1023")
    anna.wait(f"piio/{board.name}/value/tank", b"100".__eq__)
    configure({"tank": None, "cistern": TANK})
    answer = anna.request(f"piio/{board.name}/request/history", {"point": "cistern"})
    assert answer["buckets"]
    assert answer["buckets"][0][1] == 100


def test_a_revision_can_be_restored(anna: Peer, board: Board, configure: Callable[..., Any]) -> None:
    configure({"tank": TANK}, by="anna")
    configure({"tank": None}, by="otto")
    answer = anna.request(f"piio/{board.name}/request/restore", {"revision": 1, "by": "vera"})
    assert (answer["ok"], answer["revision"]) == (True, 3)
    revisions = anna.request(f"piio/{board.name}/request/revisions", {})["revisions"]
    assert [(row["revision"], row["by"]) for row in revisions] == [(3, "vera"), (2, "otto"), (1, "anna"), (0, "")]
    assert [row.get("changed") for row in revisions] == [
        ["points.tank (new)"], ["points.tank (removed)"], ["points.tank (new)"], None,
    ]  # fmt: skip
    anna.wait(f"piio/{board.name}/config", lambda payload: b'"revision":3' in payload and b"tank" in payload)


def test_a_configuration_can_be_copied_to_another_board(
    anna: Peer, board: Board, new_board: Callable[..., Board], configure: Callable[..., Any]
) -> None:
    configure({"tank": TANK})
    other = new_board()
    answer = anna.request(f"piio/{board.name}/request/copy", {"to": other.name})
    assert answer["ok"], answer
    other.wait(f"piio/{other.name}/config", lambda payload: b"tank" in payload)


def test_an_offline_board_is_forgotten_with_its_retained_topics_and_an_online_one_is_not(
    anna: Peer, board: Board, broker: Broker, configure: Callable[..., Any]
) -> None:
    configure({"tank": TANK})
    board.raw("adc/0", "512")
    anna.wait(f"piio/{board.name}/value/tank")
    assert not anna.request(f"piio/{board.name}/request/forget", {})["ok"]
    board.publish(f"piio/{board.name}/status", "offline", retain=True)
    board.close()
    anna.wait(f"piio/{board.name}/quality/tank", lambda payload: payload.startswith(b"stale"))
    assert anna.request(f"piio/{board.name}/request/forget", {}) == {"ok": True}
    anna.request("piio/bridge/request/preview", {"equation": "1"})
    late = Peer(broker, f"piio/{board.name}/#", "piio/bridge/status")
    late.wait("piio/bridge/status")
    assert [message for message in late._heard if message.topic.startswith(f"piio/{board.name}/")] == []
    late.close()


def test_answers_go_to_reply_topics_only(anna: Peer, board: Board) -> None:
    for elsewhere in (f"piio/{board.name}/raw/gpio/17/set", "piio/reply/#", "elsewhere"):
        anna.connection.request(
            f"piio/{board.name}/config/set", json.dumps({"patch": {"points": {"tank": TANK}}}).encode(), elsewhere, b"1"
        )
    revisions = anna.request(f"piio/{board.name}/request/revisions", {})["revisions"]
    assert [row["revision"] for row in revisions] == [0]


class TestFaults:
    """Each with a broker and a bridge of its own."""

    @pytest.fixture
    def alone(self, tmp_path: Path) -> Any:
        broker = Broker(tmp_path)
        (tmp_path / "bridge").mkdir()
        bridge = Bridge(broker, tmp_path / "bridge")
        board = Board(broker, "solo")
        anna = Peer(broker, "piio/solo/#", "piio/bridge/status")
        anna.wait("piio/solo/config")
        assert anna.request("piio/solo/config/set", {"patch": {"points": {"tank": TANK}}, "by": "anna"})["ok"]
        anna.wait("piio/solo/config/applied", lambda payload: b'"revision": 1' in payload)
        yield broker, bridge, board, anna
        for it in (anna, board):
            it.close()
        bridge.kill()
        broker.kill()

    def test_a_broker_that_forgot_everything_is_told_all_again(self, alone: Any) -> None:
        broker, _, board, anna = alone
        board.raw("adc/0", "1023")
        anna.wait("piio/solo/value/tank", b"100".__eq__)
        broker.kill()
        broker.start()
        late = Peer(broker, "piio/#")
        late.wait("piio/solo/config", lambda payload: b"tank" in payload)
        late.wait("piio/bridge/status", b"online".__eq__)
        late.wait("piio/solo/value/tank", b"100".__eq__)
        late.close()

    def test_a_killed_bridge_asserts_the_same_configuration_with_a_higher_epoch(self, alone: Any) -> None:
        _, bridge, _, anna = alone
        before = json.loads(anna.last("piio/solo/config"))
        bridge.kill()
        anna.wait("piio/bridge/status", b"offline".__eq__, timeout=20)
        bridge.start()
        after = json.loads(anna.wait("piio/solo/config", lambda payload: b'"epoch":2' in payload))
        assert after == {**before, "epoch": 2}

    def test_a_bridge_without_its_database_adopts_what_is_at_the_broker(self, alone: Any) -> None:
        _, bridge, _, anna = alone
        before = json.loads(anna.last("piio/solo/config"))
        assert bridge.stop() == 0
        for file in bridge.state.glob("bridge.db*"):
            file.unlink()
        since = anna.mark()
        bridge.start()
        after = json.loads(anna.wait("piio/solo/config", bool, since))
        assert (after["points"], after["revision"]) == (before["points"], 1)
        assert after["store"] != before["store"]
        assert anna.request("piio/solo/request/revisions", {})["revisions"][0]["by"] == "adopted"

    def test_a_bridge_with_an_old_database_goes_above_what_the_agent_has(self, alone: Any) -> None:
        _, _, board, anna = alone
        document = json.loads(anna.last("piio/solo/config"))
        board.say("config/applied", {"store": document["store"], "revision": 9, "boot": "boot1", "points": {}})
        anna.wait("piio/solo/config", lambda payload: b'"revision":10' in payload and b"tank" in payload)

    def test_topics_that_come_back_with_an_old_broker_are_deleted(self, alone: Any) -> None:
        broker, bridge, _, anna = alone
        assert anna.request("piio/solo/config/set", {"patch": {"points": {"tank": None}}})["ok"]
        bridge.stop()
        broker.kill()
        broker.start()
        ghost = Peer(broker, "piio/solo/value/tank", "piio/mine")
        ghost.publish("piio/solo/value/tank", "13", retain=True)
        ghost.publish("piio/mine", "stays", retain=True)
        ghost.wait("piio/mine")
        bridge.start()
        ghost.wait("piio/solo/value/tank", b"".__eq__)
        assert ghost.last("piio/mine") == b"stays"
        ghost.close()

    def test_the_bridge_says_offline_for_an_agent_that_died_with_the_broker(self, alone: Any) -> None:
        broker, _, board, anna = alone
        Peer(broker, "piio/solo/beacon").wait("piio/solo/beacon")
        board.beating.clear()
        since = anna.mark()
        anna.wait("piio/solo/status", b"offline".__eq__, since, timeout=20)

    def test_the_bridge_corrects_its_own_status(self, alone: Any) -> None:
        _, _, _, anna = alone
        anna.wait("piio/bridge/status", b"online".__eq__)
        anna.publish("piio/bridge/status", "offline", retain=True)
        since = anna.mark()
        anna.wait("piio/bridge/status", b"online".__eq__, since)

    @pytest.mark.parametrize("foreign", ["", "{}", "null", '{"store": "other", "revision": 99}'])
    def test_a_configuration_that_is_not_the_bridges_is_said_anew(self, alone: Any, foreign: str) -> None:
        _, _, _, anna = alone
        desired = anna.last("piio/solo/config")
        since = anna.mark()
        anna.publish("piio/solo/config", foreign, retain=True)
        anna.wait("piio/solo/config", desired.__eq__, since)

    def test_two_changes_at_once_make_two_revisions(self, alone: Any) -> None:
        broker, _, _, _anna = alone
        others = [Peer(broker) for _ in range(2)]
        answers: list[Any] = []

        def change(peer: Peer, label: str, reply: str) -> None:
            patch = {"points": {"tank": {"label": label}}}
            answers.append(peer.request("piio/solo/config/set", {"patch": patch}, reply))

        threads = [
            threading.Thread(target=change, args=(peer, f"label {n}", f"piio/reply/anna/two{n}"))
            for n, peer in enumerate(others)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer["revision"] for answer in answers) == [2, 3]
        for peer in others:
            peer.close()
