"""`piio up`: what it finds at its start, and what it leaves behind at its end."""

import os
import signal
import socket
import subprocess
import time

import pytest

from piio.up.ports import choose_port


def test_ctrl_c_stops_everything_and_a_second_start_finds_all_as_it_was(start_up):
    first = start_up()
    first.wait_until_running()
    passwords = {name: value for name, value in first.env.items() if name != "PIIO_WEB_URL"}
    began = time.monotonic()
    assert first.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 10
    assert not first.processes()

    began = time.monotonic()
    port = first.env["PIIO_URL"].rpartition(":")[2]
    second = start_up("--mqtt-port", port)
    second.wait_until_running()
    environment = {**os.environ, "XDG_CONFIG_HOME": str(second.state)}
    look = ["mosquitto_pub", "-t", "piio/demo/viewers/operator", "-m", '{"seconds": 20}']
    subprocess.run(look, env=environment, check=True)
    live = ["mosquitto_sub", "-R", "-C", "1", "-W", "10", "-t", "piio/demo/value/tank"]
    subprocess.run(live, env=environment, check=True)
    assert time.monotonic() - began < 8  # half of it on a machine that is not busy
    assert {name: value for name, value in second.env.items() if name != "PIIO_WEB_URL"} == passwords
    assert "lamp" in second.text


def test_nothing_is_left_when_it_is_killed(start_up):
    running = start_up()
    running.wait_until_running()
    running.process.kill()
    running.wait_until_gone(5)


def test_a_given_port_that_is_in_use_is_an_error(start_up):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for option in ("--mqtt-port", "--web-port"):
            running = start_up(option, str(port))
            assert running.process.wait(10) == 1
            running.wait_until_said(f"port {port}")
            assert option in running.text
            assert not running.processes()


def test_something_else_in_place_of_the_state_folder_is_an_error(start_up, tmp_path):
    (tmp_path / "file").write_text("")
    running = start_up(state=tmp_path / "file")
    assert running.process.wait(10) == 1
    running.wait_until_said("is a file, a folder is needed")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"anna": {"role": "king", "password": ""}}', "\x00\xff"])
def test_damaged_identities_are_an_error_that_names_the_file(start_up, tmp_path, text):
    broker = tmp_path / "var" / "broker"
    broker.mkdir(parents=True)
    (broker / "identities.json").write_text(text, encoding="latin-1")
    running = start_up()
    assert running.process.wait(10) == 1
    running.wait_until_said("identities.json is damaged")
    assert "Traceback" not in running.text
    assert (broker / "identities.json").read_text(encoding="latin-1") == text


def test_a_service_that_cannot_start_is_named_with_its_last_words_and_nothing_is_left(start_up, tmp_path):
    (tmp_path / "var" / "bridge.db").mkdir(parents=True)
    running = start_up()
    assert running.process.wait(20) == 1
    running.wait_until_said("the bridge does not start")
    assert not running.processes()


def test_a_truncated_database_of_the_broker_is_moved_aside_and_said(start_up):
    running = start_up()
    running.wait_until_running()
    running.stop()
    (running.state / "broker" / "mosquitto.db").write_bytes(b"\x00\xb5\x00mosquitto db\x00\x00")
    again = start_up()
    again.wait_until_running()
    assert list((running.state / "broker").glob("mosquitto.db.damaged-*"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--agent", "operator"), "choose another with --agent"),
        (("--agent", "Bad Name"), "is not a name"),
        (("--agent", "bridge"), "bridge"),
        (("--listen", "nonsense"), "check --listen"),
        (("--listen", "192.0.2.77"), "check --listen"),
        (("--mqtt-port", "99999"), "is not a port"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_starts(start_up, options, reason):
    running = start_up(*options)
    assert running.process.wait(10) == 1
    running.wait_until_said(reason)
    assert "Traceback" not in running.text
    assert not running.processes()


def test_a_default_port_that_is_taken_gives_way_to_the_next_free_one():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert choose_port("127.0.0.1", None, port, "--mqtt-port") > port
