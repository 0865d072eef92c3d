"""A command that is late on any leg is not executed, and its sender is told."""

import json
import os
import subprocess
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import piio
from piio.address import read_address
from tests.faults.site import Site
from tests.faults.volley import PageVolley, Volley
from tests.standstill import stopped
from tests.witness import Witness, all_is_right


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


@pytest.mark.parametrize(
    ("who", "seconds"),
    [("agent", 4.0), ("agent", 10.0), ("bridge", 2.7), ("bridge", 10.0), ("broker", 2.7), ("broker", 5.0)],
    ids=lambda value: value if isinstance(value, str) else f"{value:g} s",
)
def test_what_waited_for_a_process_that_was_stopped_never_acts(
    site: Site, witness: Witness, who: str, seconds: float
) -> None:
    with site.parts.connection("operator") as connection, piio.connect(site.parts.env["PIIO_URL"]) as client:
        volley = Volley(witness, connection, client)
        with stopped(site.pid(who)):
            volley.fire_for(seconds)
        witness.wait_until_right()
        volley.check(swallowed=who != "agent")
        assert all(question.result and not question.result.done for question in volley.questions)


def test_what_waited_for_a_web_app_that_was_stopped_never_acts(site: Site, witness: Witness) -> None:
    page = site.page()
    volley = PageVolley(witness, page)
    with stopped(-site.pid("webapp")):  # with the worker that it has
        volley.fire_for(3.0)
    verdicts = volley.check()
    assert {result["status"] for _, _, result in verdicts[:3]} == {"expired"}
    page.close()


def test_what_is_published_while_there_is_no_broker_is_refused_or_too_old(site: Site, witness: Witness) -> None:
    page = site.page()
    queueing = _paho(site)
    beacon = witness.newest_beacon()
    with piio.connect(site.parts.env["PIIO_URL"]) as client:
        site.processes["broker"].kill()
        page.wait(lambda: not _connected(page), "a page that knows of it")
        begun = time.monotonic()
        assert client.set("demo/s02", 1).status == "failed"
        assert time.monotonic() - begun < 1, "nobody waits for a broker that is away"
    answer = page.ask("set", agent="demo", point="s03", value=1, tick=page.tick)
    assert (answer["status"], "nothing was sent" in answer["reason"]) == ("refused", True)
    queued = json.dumps({"value": 1, "id": "queued", "beacon": beacon})
    assert queueing.publish("piio/demo/value/s04/set", queued, 1).rc == mqtt.MQTT_ERR_NO_CONN
    assert _mosquitto_pub(site, "piio/demo/value/s05/set").returncode != 0
    site.processes["broker"].start()
    witness.reconnect()
    witness.wait(all_is_right)
    # paho sends what it has queued as soon as it is connected again, however old that is; perhaps before the bridge is
    # there to say so. What comes after it is answered after it.
    witness.act("s04", 0)
    assert {result["status"] for _, result in witness.told["s04"] if result["id"] == "queued"} <= {"refused"}
    moves = witness.moves()
    assert [line for line in ("2", "3", "4", "5") if line in moves and moves[line][-1]["level"]] == []
    queueing.loop_stop()
    page.close()


def test_a_set_that_was_retained_before_the_bridge_started_is_refused_and_cleared(site: Site, witness: Witness) -> None:
    before = witness.moves()
    site.processes["bridge"].end()
    witness.wait(lambda seen: seen.get("piio/bridge/status") == b"offline")
    for point, payload in (("s06", "1"), ("s07", json.dumps({"value": 1, "id": "kept"}))):
        witness.publish(f"piio/demo/value/{point}/set", payload, retain=True)
    site.processes["bridge"].start()
    witness.wait(all_is_right)
    witness.wait(lambda _: {"s06", "s07"} <= witness.told.keys())
    for point in ("s06", "s07"):
        assert [result["status"] for _, result in witness.told[point]][-1] == "refused"
    assert witness.moves() == before
    witness.wait_until_right()
    assert {topic for topic in witness.seen if topic.endswith("/set")} == set()


def test_an_output_whose_bridge_is_gone_goes_where_it_is_safe_and_stays_there(site: Site, witness: Witness) -> None:
    witness.act("lamp", 1)
    before = len(witness.trace("17"))
    with stopped(site.pid("bridge")):
        witness.wait(lambda seen: seen.get("piio/demo/raw/gpio/17") == b"0", 6)
    witness.wait(all_is_right)
    assert [(entry["level"], entry["by"]) for entry in witness.trace("17")[before:]] == [(0, "output")]
    witness.wait(lambda seen: b"fail_safe" in seen.get("piio/demo/event/lamp", b""))
    witness.wait(lambda seen: seen.get("piio/demo/value/lamp") == b"0")


def _connected(page: object) -> bool:
    links = [frame["link"] for frame in page.frames if "link" in frame]  # type: ignore[attr-defined]
    return bool(links and links[-1].get("broker", True))


def _paho(site: Site) -> mqtt.Client:
    """A client as anybody writes one: it reconnects by itself and queues what is published meanwhile."""
    address = read_address(site.parts.env["PIIO_URL"])
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(address.user, address.password)
    client.connect(address.host, address.port)
    client.loop_start()
    return client


def _mosquitto_pub(site: Site, topic: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["mosquitto_pub", "-t", topic, "-m", "1"],
        env=os.environ | {"XDG_CONFIG_HOME": str(site.parts.state)},
        capture_output=True,
        timeout=10,
    )
