"""Configurations, from the broker into force."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

Start = Callable[..., Any]

TANK = {"interface": "adc", "channel": "1"}
LAMP = {"interface": "gpio", "channel": "17", "direction": "output"}


def test_what_is_no_configuration_is_refused_and_everything_stays_as_it_is(desk: Any, start: Start) -> None:
    agent = start().agent
    desk.configure(points={"tank": TANK})
    desk.wait_applied(1)
    for wrong in (b"{", b"[]", b'{"store": "s", "revision": 2, "pionts": {}}', b"\xff", b'{"points": {"tank": 5}}'):
        desk.publish("config", wrong, retain=True)
    desk.configure(3, {"tank": TANK})
    desk.wait_applied(3)
    assert agent.complaints.count == 5
    assert {d for t, d in desk.lines() if t == "raw/adc/1"}.isdisjoint({""})


def test_an_older_revision_is_ignored_within_a_store_and_another_store_is_taken(desk: Any, start: Start) -> None:
    agent = start().agent
    desk.configure(5, {"tank": TANK})
    desk.wait_applied(5)
    desk.configure(4, {})
    desk.configure(1, {"lamp": LAMP}, store="other")
    assert desk.wait_applied(1) == {"lamp": {"ok": True}}
    assert 4 not in [d["revision"] for d in _applied(desk)]
    assert agent.complaints.count == 1


def test_the_same_revision_of_a_new_epoch_is_adopted(desk: Any, start: Start) -> None:
    start()
    desk.be_the_bridge()
    desk.configure(1, {"lamp": LAMP}, epoch=1)
    desk.wait_applied(1)
    desk.configure(1, {"lamp": LAMP}, epoch=2)
    assert desk.write("gpio/17", 1, epoch=2).status == "done"
    assert desk.write("gpio/17", 0, epoch=1).status == "refused"
    assert desk.raws("gpio/17") == ["0", "1"]


def test_the_word_of_a_bridge_that_led_before_is_ignored(desk: Any, start: Start) -> None:
    start()
    desk.configure(2, {"lamp": LAMP}, epoch=3)
    assert desk.wait_json("config/applied", lambda d: d["revision"] == 2)["epoch"] == 3
    desk.configure(2, {"lamp": LAMP}, epoch=2)
    desk.configure(3, {}, epoch=2)
    assert desk.write("gpio/17", 1, revision=2, epoch=3).status == "done"
    assert 3 not in [d["revision"] for d in _applied(desk)]
    desk.configure(1, {"lamp": LAMP}, store="restored", epoch=1)
    desk.wait_json("config/applied", lambda d: d["store"] == "restored")


def test_applied_is_published_once_a_second_at_most_and_ends_with_what_is_in_force(desk: Any, start: Start) -> None:
    start()
    began = time.monotonic()
    for revision in range(1, 31):
        desk.configure(revision, {"tank": TANK})
    desk.wait_applied(30)
    assert len(_applied(desk)) <= 2 + (time.monotonic() - began)


def test_a_computed_point_is_in_force_by_itself(desk: Any, start: Start) -> None:
    start()
    desk.configure(1, {"tank": TANK, "double": {"equation": "tank * 2"}})
    assert desk.wait_applied(1) == {"tank": {"ok": True}, "double": {"ok": True}}


def test_a_wrong_setting_is_that_points_error_alone(desk: Any, start: Start) -> None:
    start()
    button = {"interface": "gpio", "channel": "5"}
    desk.configure(1, {"button": button | {"settings": {"pull": "up"}}, "other": button | {"channel": "6"}})
    points = desk.wait_applied(1)
    assert "'pull' is unknown" in points["button"]["error"]
    assert points["other"] == {"ok": True}
    desk.configure(2, {"button": button | {"settings": {"bias": "pull-up"}}, "other": button | {"channel": "6"}})
    assert desk.wait_applied(2)["button"] == {"ok": True}
    desk.wait_for("raw/gpio/5", "1")


def _applied(desk: Any) -> list[Any]:

    return [msgspec.json.decode(payload) for topic, payload in desk.lines() if topic == "config/applied"]


def test_settings_that_an_input_cannot_have_silence_it(desk: Any, start: Start) -> None:
    start()
    button = {"interface": "gpio", "channel": "5"}
    desk.configure(1, {"button": button})
    desk.wait_for("raw/gpio/5", "0")
    desk.configure(2, {"button": button | {"settings": {"bias": "up"}}})
    desk.wait_point("button", lambda p: "'bias' is 'up'" in p.get("error", ""))
    desk.wait_for("raw/gpio/5", "")
    since = desk.now()
    desk.publish("sim/gpio/5", "1")
    desk.configure(3, {"button": button})
    desk.wait_applied(3)
    assert desk.raws("gpio/5", since) == ["1"]
