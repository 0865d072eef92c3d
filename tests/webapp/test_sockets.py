"""Sockets of strangers, of liars and of slow browsers."""

import itertools
import json

import pytest
import simple_websocket

from tests.webapp.bench import Bench
from tests.webapp.stage import Page, Stage, eventually


def test_without_a_log_in_there_is_no_socket(stage: Stage) -> None:
    with pytest.raises(simple_websocket.ConnectionError, match="401"):
        stage.visitor().page()
    with pytest.raises(simple_websocket.ConnectionError, match="401"):
        stage.visitor().page(Cookie="piio=eyJsb2dpbiI6ImFubmEifQ.aaaaaa.forged")
    assert stage.visitor().get("/socket.io/?EIO=4&transport=polling").status == 401


def test_a_page_of_another_site_gets_no_socket(stage: Stage) -> None:
    with pytest.raises((simple_websocket.ConnectionError, simple_websocket.ConnectionClosed)):
        stage.visitor("anna").page(Origin="https://evil.example")


def test_connect_sent_as_an_event_grants_nothing(bench: Bench) -> None:
    page = bench.open("vera")
    page.say("connect", {"role": "admin"})
    assert page.set(bench.name, "lamp", 1)["status"] == "refused"
    page.close()


@pytest.mark.parametrize("verb", ["save", "restore", "copy", "forget"])
def test_a_viewer_configures_nothing(bench: Bench, verb: str) -> None:
    page = bench.open("vera")
    answer = page.ask("ask", verb=verb, agent=bench.name, body={})["answer"]
    assert answer["ok"] is False
    assert "admin" in answer["error"]["message"]
    page.close()


@pytest.mark.parametrize(
    "packet",
    [
        '42["look",{"agent":"../bridge"}]',
        '42["look",{"agent":"#"}]',
        '42["look",[1,2,3]]',
        '42["look"]',
        '42["set",{"id":"1","agent":"bench1","point":"lamp","value":NaN,"tick":{"boot":"x","tick":1}}]',
        '42["set",{"id":"1","agent":"bench1","point":"lamp","value":"1","tick":{"boot":"x","tick":1}}]',
        '42["set",{"id":"1","agent":"bench1","point":"lamp","value":true,"tick":{"boot":"x","tick":1}}]',
        '42["set",{"id":"1","agent":"+","point":"+","value":1,"tick":{"boot":"x","tick":1}}]',
        '42["ask",{"id":"1","verb":"eval","agent":"bench1","body":{}}]',
        '42["no_such_event",{}]',
        "42[",
        "451-" + json.dumps(["set", {"_placeholder": True, "num": 0}]),
    ],
)
def test_what_is_malformed_does_nothing_and_harms_nobody(bench: Bench, packet: str) -> None:
    liar, other = bench.open("otto"), bench.open("vera")
    liar.socket.send(packet)
    before = len(other.frames)
    other.wait(lambda: len(other.frames) > before + 3, "frames for the other page", 5)
    assert not any(frame.get("answers") for frame in liar.frames)
    for page in (liar, other):
        page.close()


def test_a_huge_packet_ends_only_its_own_socket(bench: Bench) -> None:
    page = bench.open("otto")
    page.socket.send('42["look",{"agent":"' + "a" * 200_000 + '"}]')
    assert page.closed(5)
    bench.open("vera").close()


def test_a_page_that_floods_is_closed(bench: Bench) -> None:
    page = bench.open("otto")
    try:
        for _ in range(400):
            page.say("look", {"agent": bench.name})
    except simple_websocket.ConnectionClosed:
        return
    assert page.closed(5)


def test_a_page_that_takes_nothing_gets_the_frames_of_a_second_and_then_the_newest(stage: Stage, bench: Bench) -> None:
    page = bench.open("vera")
    page.hear(0.5)
    page.acknowledging = False
    before = len(page.frames)
    page.hear(2)
    assert len(page.frames) - before <= 20
    with stage.connection() as connection:
        for raw in (100, 200, 300, 777):
            connection.publish(f"piio/{bench.name}/sim/adc/3", str(raw))
        fast = bench.open("otto")
        fast.wait(lambda: any(f.get("values", {}).get("knob") == 77.7 for f in fast.frames), "the newest value")
        fast.close()
    held = len(page.frames)
    page.hear(0.2)
    assert len(page.frames) == held
    page.acknowledge()
    page.wait(lambda: len(page.frames) > held, "the next frame")
    assert page.frames[held]["values"]["knob"] == 77.7
    page.close()


def test_frames_come_at_most_20_times_in_a_second_and_without_long_pauses(stage: Stage, bench: Bench) -> None:
    page: Page = bench.open("vera")
    with stage.connection() as connection:
        for number in range(300):
            connection.publish(f"piio/{bench.name}/sim/adc/3", str(number))
            page.hear(0.007)
    page.hear(2)
    ticks = [frame["tick"] for frame in page.frames]
    assert max(later - earlier for earlier, later in itertools.pairwise(ticks)) < 3, "or the page doubts what it shows"
    # On a busy machine a tick is read some time after it was decided that a frame may go.
    assert max(sum(first <= tick < first + 0.9 for tick in ticks) for first in ticks) <= 20
    assert len(ticks) > 20
    page.close()


def test_a_lease_is_held_exactly_while_somebody_looks(stage: Stage, bench: Bench) -> None:
    heard = []
    with stage.connection(heard.append) as connection:
        connection.subscribe([("piio/+/viewers/+", 0)])
        page = bench.open("vera")
        eventually(lambda: heard, "a lease")
        page.close()
    assert heard[0].topic == f"piio/{bench.name}/viewers/webapp"
    assert json.loads(heard[0].payload) == {"seconds": 15.0}
