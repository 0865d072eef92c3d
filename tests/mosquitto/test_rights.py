"""Who may what, tried at a real broker."""

import pytest

ALLOWED = [
    ("lab-1", "piio/lab-1/status"),
    ("lab-1", "piio/lab-1/raw/adc/0"),
    ("lab-1", "piio/lab-1/raw/gpio/17/result"),
    ("lab-1", "piio/lab-1/config/applied"),
    ("vera", "piio/attic/viewers/vera"),
    ("vera", "piio/attic/request/history"),
    ("vera", "piio/bridge/request/preview"),
    ("otto", "piio/attic/value/lamp/set"),
    ("otto", "piio/attic/sim/adc/0"),
    ("leo", "piio/lab-1/value/lamp/set"),
    ("ada", "piio/attic/config/set"),
    ("ada", "piio/attic/request/forget"),
    ("webapp", "piio/attic/config/set"),
    ("webapp", "piio/webapp/a1/status"),
    ("webapp", "piio/attic/viewers/webapp"),
    ("webapp", "piio/webapp/a1/acted"),
    ("webapp", "piio/bridge/request/audit"),
    ("otto", "piio/attic/request/audit"),
    ("otto", "piio/bridge/request/audit"),
    ("leo", "piio/lab-1/request/audit"),
    ("otto", "piio/attic/stop"),
    ("otto", "piio/stop"),
    ("ada", "piio/stop"),
    ("leo", "piio/lab-1/stop"),
    ("webapp", "piio/attic/stop"),
    ("webapp", "piio/stop"),
]

DENIED = [
    ("lab-1", "piio/attic/status"),
    ("lab-1", "piio/lab-1/config"),
    ("lab-1", "piio/lab-1/value/lamp"),
    ("lab-1", "piio/lab-1/value/lamp/set"),
    ("lab-1", "piio/bridge/beacon"),
    ("vera", "piio/attic/value/lamp/set"),
    ("vera", "piio/attic/viewers/otto"),
    ("vera", "piio/attic/config/set"),
    ("vera", "piio/attic/raw/gpio/17/set"),
    ("otto", "piio/attic/raw/gpio/17/set"),
    ("otto", "piio/attic/config/set"),
    ("otto", "piio/attic/status"),
    ("leo", "piio/attic/value/lamp/set"),
    ("leo", "piio/attic/sim/adc/0"),
    ("ada", "piio/attic/raw/gpio/17/set"),
    ("ada", "piio/attic/config"),
    ("ada", "piio/bridge/status"),
    ("ada", "piio/reply/ada/x"),
    ("ada", "homeassistant/device/piio_attic/config"),
    ("webapp", "piio/attic/value/lamp"),
    ("ada", "piio/webapp/a1/acted"),
    ("otto", "piio/webapp/a1/acted"),
    ("vera", "piio/attic/request/audit"),
    ("leo", "piio/attic/request/audit"),
    ("leo", "piio/bridge/request/audit"),
    ("vera", "piio/attic/stop"),
    ("vera", "piio/stop"),
    ("leo", "piio/attic/stop"),
    ("leo", "piio/stop"),
    ("lab-1", "piio/lab-1/stop"),
    ("lab-1", "piio/stop"),
]


@pytest.mark.parametrize(("name", "topic"), ALLOWED)
def test_a_role_writes_what_is_its_own(people, name, topic):
    assert people[name].may_publish(topic)


@pytest.mark.parametrize(("name", "topic"), DENIED)
def test_a_role_writes_nothing_else(people, name, topic):
    assert not people[name].may_publish(topic)


@pytest.mark.parametrize(
    ("name", "heard", "unheard"),
    [
        ("vera", ["piio/attic/value/tank", "piio/lab-1/status"], ["piio/attic/value/lamp/result", "piio/reply/otto/x"]),
        ("otto", ["piio/attic/value/lamp/result", "piio/reply/otto/y"], ["piio/attic/raw/gpio/17/set"]),
        ("lia", ["piio/lab-1/value/tank", "piio/bridge/status"], ["piio/attic/value/tank", "piio/attic/config"]),
        ("lab-1", ["piio/lab-1/config", "piio/lab-1/raw/gpio/17/set"], ["piio/attic/config", "piio/lab-1/value/lamp"]),
        ("lab-1", ["piio/stop", "piio/lab-1/stop"], ["piio/attic/stop"]),
    ],
)
def test_a_role_hears_what_is_meant_for_it_and_nothing_else(house, people, name, heard, unheard):
    guest = people[name]
    bridge = house.bridge()
    guest.heard.clear()
    guest.subscribe("#")
    for topic in [*unheard, *heard]:  # in one stream: when the last has come, what was before it is not coming
        bridge.publish(topic, "secret")
    assert guest.wait(lambda: (heard[-1], "secret") in guest.heard)
    assert [topic for topic, payload in guest.heard if payload == "secret"] == heard


@pytest.mark.parametrize(
    ("name", "password"), [(None, None), ("vera", "wrong"), ("nobody", "x"), ("bridge", ""), ("vera", None)]
)
def test_who_does_not_show_an_identity_is_not_let_in(house, people, name, password):
    assert house.guest(name, password).connack in (0x86, 0x87)


def test_a_message_over_64_kilobytes_is_refused(house, people):
    otto = house.guest("otto2", house.add("otto2", "operator"))
    watching = house.bridge()
    watching.subscribe("piio/attic/value/lamp/set")
    otto._client.publish("piio/attic/value/lamp/set", "1" * 70_000, qos=1)
    people["otto"].publish("piio/attic/value/lamp/set", "0")
    assert watching.wait(lambda: bool(watching.heard))
    assert [len(payload) for _, payload in watching.heard] == [1]
