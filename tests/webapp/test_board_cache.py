"""What is kept of what the broker says."""

from piio.connection import Message
from piio_schemas.roles import Role
from piio_webapp import frames
from piio_webapp.board_cache import BoardCache, Change
from piio_webapp.open_page import OpenPage
from piio_webapp.people import Who
from piio_webapp.view import Target, View


def cache_of(*messages: tuple[str, bytes]) -> tuple[BoardCache, list[Change]]:
    changes: list[Change] = []
    cache = BoardCache("piio", changes.append, all_heard_within=0)
    cache.connected()
    for topic, payload in messages:
        cache.heard(Message(topic, payload, retained=False))
    return cache, changes


BOARD = (("piio/bench1/capabilities", b'{"agent":"bench1"}'), ("piio/bench1/status", b"online"))


def test_a_board_that_was_removed_while_the_broker_was_away_is_forgotten() -> None:
    cache, changes = cache_of(*BOARD, ("piio/bench2/status", b"online"))
    cache.sweep()
    assert set(cache.boards) == {"bench1", "bench2"}
    cache.disconnected()
    cache.sweep()
    assert set(cache.boards) == {"bench1", "bench2"}, "nothing is known while nothing is heard"
    cache.connected()
    cache.heard(Message("piio/bench2/status", b"online", retained=True))
    cache.sweep()
    assert set(cache.boards) == {"bench2"}
    assert changes[-1] == Change("gone", "bench1")


def test_a_board_whose_retained_topics_are_cleared_is_gone() -> None:
    cache, _ = cache_of(*BOARD, ("piio/bench1/capabilities", b""), ("piio/bench1/status", b""))
    assert cache.boards == {}


def test_what_is_malformed_changes_nothing() -> None:
    cache, changes = cache_of(*BOARD, ("piio/bench1/value/tank", b"1"))
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
        cache.heard(Message(topic, payload, retained=False))
    assert len(changes) == before
    assert cache.boards["bench1"].values == {"tank": 1.0}
    assert cache.bridge_echo(2) is None


def test_a_cleared_value_is_no_value_any_more() -> None:
    cache, _ = cache_of(*BOARD, ("piio/bench1/value/tank", b"1"), ("piio/bench1/value/tank", b""))
    assert cache.boards["bench1"].values == {}


def test_a_retained_beacon_is_no_sign_of_life() -> None:
    beacon = b'{"boot":"b","connection":1,"tick":5,"period":1,"epoch":1,"time":0}'
    cache, _ = cache_of()
    cache.heard(Message("piio/bridge/beacon", beacon, retained=True))
    assert cache.bridge_echo(2) is None
    cache.heard(Message("piio/bridge/beacon", beacon, retained=False))
    echo = cache.bridge_echo(2)
    assert echo is not None
    assert echo.tick == 5
    cache.connected()
    assert cache.bridge_echo(2) is None, "another connection's beacons vouch for nothing"


CONFIG = b'{"revision": 1, "points": {"tank": {}, "knob": {}, "lamp": {}}}'


def test_a_board_tells_how_many_of_its_points_are_not_good_also_while_nobody_looks_at_it() -> None:
    cache, _ = cache_of(*BOARD, ("piio/bench1/config", CONFIG), ("piio/bench1/quality/tank", b"good"))
    cache.heard(Message("piio/bench1/quality/knob", b"bad: no chip", retained=False))
    assert cache.boards["bench1"].summary["not_good"] == 2, "knob is bad, and nothing vouches for lamp"
    cache.unheard({"bench1"}, "values")
    assert cache.boards["bench1"].summary["not_good"] == 2
    assert "piio/+/quality/+" in dict(cache.filters())


def test_what_was_known_of_a_board_before_a_restart_is_known_again_until_it_is_removed() -> None:
    cache = BoardCache("piio", lambda _: None, seen={"bench1": 1000.0})
    cache.heard(Message("piio/bench1/status", b"offline", retained=True))
    assert cache.boards["bench1"].summary["seen"] == 1000.0
    cache.heard(Message("piio/bench1/status", b"", retained=False))
    cache.heard(Message("piio/bench1/status", b"offline", retained=True))
    assert cache.boards["bench1"].summary["seen"] is None


def test_a_value_that_the_broker_had_kept_is_told_as_one_of_unknown_age_until_a_new_one_comes() -> None:
    cache, _ = cache_of(*BOARD)
    view = View(Target("bench1"))
    page = OpenPage("s", "login", Who("vera", Role.VIEWER), "127.0.0.1")
    for retained, kept in ((True, ["tank"]), (False, None)):
        cache.heard(Message("piio/bench1/value/tank", b"1", retained))
        view.touch("values", "tank")
        told = frames.told(view, page, cache)
        assert told["values"] == {"tank": 1.0}
        assert told.get("kept") == kept
