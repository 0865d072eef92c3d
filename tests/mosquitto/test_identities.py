"""People and boards come, change and go while the broker runs."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.mosquitto.conftest import PIIO, wait_for


def test_what_is_printed_works_at_once(house):
    assert house.guest("anna", house.add("anna", "operator")).connack == 0


def test_a_scope_comes_to_a_board_that_is_made_later(house):
    lars = house.guest("lars", house.add("lars", "operator", "--scope", "shed-*"))
    assert not lars.may_publish("piio/shed-1/value/lamp/set")
    house.add("shed-1", "agent")
    assert lars.may_publish("piio/shed-1/value/lamp/set")
    assert not lars.may_publish("piio/barn/value/lamp/set")


def test_a_changed_role_holds_for_who_is_connected_already(house):
    carl = house.guest("carl", house.add("carl", "viewer"))
    assert not carl.may_publish("piio/demo/value/lamp/set")
    assert house.user("change", "carl", "--role", "operator").returncode == 0
    assert wait_for(lambda: carl.may_publish("piio/demo/value/lamp/set"))


def test_a_removed_person_is_out(house):
    password = house.add("rita", "operator")
    rita = house.guest("rita", password)
    assert house.user("remove", "rita").returncode == 0
    assert rita.wait(lambda: rita.gone)
    assert house.guest("rita", password).connack != 0


def test_a_new_password_ends_the_old_one(house):
    old = house.add("paul", "viewer")
    done = house.user("change", "paul", "--password")
    new = done.stdout.partition("paul:")[2].partition("@")[0]
    assert house.guest("paul", new).connack == 0
    assert house.guest("paul", old).connack != 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "Anna", "--role", "viewer"), "is not a name"),
        (("add", "a/b", "--role", "viewer"), "is not a name"),
        (("add", "bridge", "--role", "admin"), "bridge"),
        (("add", "reply", "--role", "admin"), "reserved"),
        (("add", "x1", "--role", "bridge"), "invalid choice"),
        (("add", "x2", "--role", "agent", "--scope", "lab-*"), "a scope is for people"),
        (("add", "x3", "--role", "viewer", "--scope", "lab #"), "is not a scope"),
        (("remove", "nobody"), "there is no 'nobody'"),
        (("remove", "bridge"), "service"),
        (("change", "webapp", "--role", "admin"), "service"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(house, arguments, reason):
    done = house.user(*arguments)
    assert done.returncode != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_is_given_once(house):
    house.add("nina", "viewer")
    again = house.user("add", "nina", "--role", "agent")
    assert again.returncode == 1
    assert "'nina' is there already" in again.stderr


def test_several_people_made_at_once_are_all_there(house):
    names = [f"crowd-{i}" for i in range(6)]
    with ThreadPoolExecutor(6) as pool:
        passwords = list(pool.map(lambda name: house.add(name, "agent"), names))
    for name, password in zip(names, passwords, strict=True):
        assert house.guest(name, password).connack == 0


def test_only_the_owner_reads_what_is_secret(house):
    files = [file for file in (house.state / "broker").iterdir() if not file.is_socket()]  # Mosquitto lets its group
    for file in files:
        assert file.stat().st_mode & 0o077 == 0, file
    for folder in (house.state, house.state / "broker", house.state / "secrets"):
        assert folder.stat().st_mode & 0o077 == 0


def test_user_needs_an_installation_and_says_how_to_make_one(tmp_path):
    done = subprocess.run(
        [PIIO, "user", "list", "--state", tmp_path / "none"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "piio up" in done.stderr


def test_a_killed_mosquitto_is_started_again_and_said(house):
    pid_file = house.state / "broker" / "mosquitto.pid"
    old = pid_file.read_text()
    os.kill(int(old), signal.SIGKILL)
    assert wait_for(lambda: pid_file.exists() and pid_file.read_text() != old, 1.0)
    assert wait_for(lambda: any("starting it again" in line for line in house.said))
    assert wait_for(house.listens), "it serves again"
    assert house.bridge().connack == 0
    assert house.process.poll() is None
