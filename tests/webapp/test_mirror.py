"""What is kept of what the broker says."""

from piio.connection import Message
from piio_webapp.mirror import Change, Mirror


def mirror_of(*messages: tuple[str, bytes]) -> tuple[Mirror, list[Change]]:
    changes: list[Change] = []
    mirror = Mirror("piio", changes.append, settling=0)
    mirror.connected()
    for topic, payload in messages:
        mirror.heard(Message(topic, payload, retained=False))
    return mirror, changes


BOARD = (("piio/bench1/capabilities", b'{"agent":"bench1"}'), ("piio/bench1/status", b"online"))


def test_a_board_that_was_removed_while_the_broker_was_away_is_forgotten() -> None:
    mirror, changes = mirror_of(*BOARD, ("piio/bench2/status", b"online"))
    mirror.settle()
    assert set(mirror.boards) == {"bench1", "bench2"}
    mirror.disconnected()
    mirror.settle()
    assert set(mirror.boards) == {"bench1", "bench2"}, "nothing is known while nothing is heard"
    mirror.connected()
    mirror.heard(Message("piio/bench2/status", b"online", retained=True))
    mirror.settle()
    assert set(mirror.boards) == {"bench2"}
    assert changes[-1] == Change("gone", "bench1")


def test_a_board_whose_retained_topics_are_cleared_is_gone() -> None:
    mirror, _ = mirror_of(*BOARD, ("piio/bench1/capabilities", b""), ("piio/bench1/status", b""))
    assert mirror.boards == {}


def test_what_is_malformed_changes_nothing() -> None:
    mirror, changes = mirror_of(*BOARD, ("piio/bench1/value/tank", b"1"))
    before = len(changes)
    for topic, payload in (
        ("piio/bench1/value/tank", b"nan"),
        ("piio/bench1/config", b"{"),
        ("piio/bench1/config", b"[1]"),
        ("piio/bench1/quality/tank", b"\xff\xfe"),
        ("piio/bridge/beacon", b'{"boot": 1}'),
        ("piio/nobody/value/tank", b"1"),
        ("other/bench1/status", b"online"),
    ):
        mirror.heard(Message(topic, payload, retained=False))
    assert len(changes) == before
    assert mirror.boards["bench1"].values == {"tank": 1.0}
    assert mirror.bridge_echo(2) is None


def test_a_cleared_value_is_no_value_any_more() -> None:
    mirror, _ = mirror_of(*BOARD, ("piio/bench1/value/tank", b"1"), ("piio/bench1/value/tank", b""))
    assert mirror.boards["bench1"].values == {}


def test_a_retained_beacon_is_no_sign_of_life() -> None:
    beacon = b'{"boot":"b","connection":1,"tick":5,"period":1,"epoch":1,"time":0}'
    mirror, _ = mirror_of()
    mirror.heard(Message("piio/bridge/beacon", beacon, retained=True))
    assert mirror.bridge_echo(2) is None
    mirror.heard(Message("piio/bridge/beacon", beacon, retained=False))
    echo = mirror.bridge_echo(2)
    assert echo is not None
    assert echo.tick == 5
    mirror.connected()
    assert mirror.bridge_echo(2) is None, "another connection's beacons vouch for nothing"


CONFIG = b'{"revision": 1, "points": {"tank": {}, "knob": {}, "lamp": {}}}'


def test_a_board_tells_how_many_of_its_points_are_not_good_also_while_nobody_looks_at_it() -> None:
    mirror, _ = mirror_of(*BOARD, ("piio/bench1/config", CONFIG), ("piio/bench1/quality/tank", b"good"))
    mirror.heard(Message("piio/bench1/quality/knob", b"bad: no chip", retained=False))
    assert mirror.boards["bench1"].summary["not_good"] == 2, "knob is bad, and nothing vouches for lamp"
    mirror.unlooked("bench1")
    assert mirror.boards["bench1"].summary["not_good"] == 2
    assert "piio/+/quality/+" in dict(mirror.filters())


def test_what_was_known_of_a_board_before_a_restart_is_known_again_until_it_is_removed() -> None:
    mirror = Mirror("piio", lambda _: None, seen={"bench1": 1000.0})
    mirror.heard(Message("piio/bench1/status", b"offline", retained=True))
    assert mirror.boards["bench1"].summary["seen"] == 1000.0
    mirror.heard(Message("piio/bench1/status", b"", retained=False))
    mirror.heard(Message("piio/bench1/status", b"offline", retained=True))
    assert mirror.boards["bench1"].summary["seen"] is None
