"""`piio up`: everything comes up, is used as the README says, and is kept running."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from piio.address import read_address
from piio.connection import Connection, Message

PIIO = Path(sys.executable).with_name("piio")

VARIABLES = {
    "PIIO_URL", "PIIO_VIEWER_URL", "PIIO_ADMIN_URL", "PIIO_AGENT_URL", "PIIO_WEB_URL", "PIIO_WEB_USER",
    "PIIO_WEB_PASSWORD",
}  # fmt: skip


def look(installation):
    """Hold a viewer's lease, so that inputs are read often."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(installation.state)}
    lease = ["mosquitto_pub", "-t", "piio/demo/viewers/operator", "-m", '{"seconds": 20}']
    deadline = time.monotonic() + 5
    while subprocess.run(lease, env=environment, check=False, capture_output=True).returncode:
        assert time.monotonic() < deadline, "no broker"
        time.sleep(0.05)


def listen(installation, *topics, count=1, timeout=20):
    """Return the first messages on topics, as an operator hears them, with mosquitto_sub's own option file."""
    look(installation)
    arguments = ["mosquitto_sub", "-C", str(count), "-W", str(timeout)]
    for topic in topics:
        arguments += ["-t", topic]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(installation.state)}
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True) as heard:
        while True:
            try:
                said, _ = heard.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                look(installation)  # a board that was away has not heard of the lease before
    assert heard.returncode == 0, f"only this within {timeout} s: {said}"
    return said.splitlines()


def value_becomes(installation, topic, wanted, timeout=10.0):
    """Wait until a topic carries a text."""
    seen = []

    def hear(message: Message) -> None:
        seen.append(message.payload.decode())

    deadline = time.monotonic() + timeout
    with Connection(read_address(installation.url), hear) as connection:
        connection.subscribe([(topic, 1)])
        while wanted not in seen:
            assert time.monotonic() < deadline, f"{topic}: {seen}"
            time.sleep(0.02)


def test_the_tools_find_everything_in_env_which_only_its_owner_reads(installation):
    assert set(installation.env) == VARIABLES
    for name in ("env", "mosquitto_pub", "mosquitto_sub"):
        assert (installation.state / name).stat().st_mode & 0o777 == 0o600
    assert installation.state.stat().st_mode & 0o777 == 0o700


def test_no_secret_stands_on_a_command_line(installation):
    secrets = [file.read_text().strip().encode() for file in (installation.state / "secrets").iterdir()]
    for command in installation.processes().values():
        assert not [secret for secret in secrets if secret in b" ".join(command)]


def test_its_services_reach_the_broker_by_its_socket_file(installation):
    path = installation.state / "broker" / "socket"
    commands = [b" ".join(command).decode() for command in installation.processes().values()]
    for who in ("bridge", "webapp", "demo"):
        assert any(f"mqtt+unix://{who}@{path}" in command for command in commands), commands


def test_the_first_page_has_one_display_of_each_type_and_its_values_move(installation):
    configuration = json.loads(listen(installation, "piio/demo/config")[0])
    assert {display["type"] for display in configuration["displays"].values()} == {
        "numeric", "progress", "graph", "button",
    }  # fmt: skip
    values = listen(installation, "piio/demo/value/tank", count=3)
    assert len(set(values)) > 1


def test_the_printed_line_switches_the_lamp(installation):
    line = next(line for line in installation.said if "mosquitto_pub" in line).removeprefix("  try").strip()
    subprocess.run(line, shell=True, check=True, cwd="/")
    value_becomes(installation, "piio/demo/value/lamp", "1")
    subprocess.run(line.replace("-m 1", "-m 0"), shell=True, check=True, cwd="/")
    value_becomes(installation, "piio/demo/value/lamp", "0")


def test_a_second_up_on_the_same_state_is_refused_and_disturbs_nothing(installation):
    second = subprocess.run([PIIO, "up", "--state", installation.state], capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert "running" in second.stderr and str(installation.state) in second.stderr
    assert set(installation.env) == VARIABLES
    assert installation.pid("broker") and installation.pid("agent")


def test_a_second_board_comes_with_the_printed_file(installation, tmp_path):
    add = [PIIO, "user", "add", "bench2", "--role", "agent", "--toml", "--state", installation.state]
    toml = tmp_path / "agent.toml"
    toml.write_text(subprocess.run(add, capture_output=True, text=True, check=True).stdout)
    board = subprocess.Popen([PIIO, "agent", "--config", toml, "--simulate", "--state", tmp_path])
    try:
        value_becomes(installation, "piio/bench2/status", "online")
    finally:
        board.terminate()
        board.wait(10)
    remove = [PIIO, "user", "remove", "bench2", "--state", installation.state]
    subprocess.run(remove, check=True)


def test_a_killed_service_is_back_within_a_second_and_the_person_is_told(installation):
    for service in ("agent", "bridge", "webapp", "broker"):
        old = installation.kill(service)
        deadline = time.monotonic() + 1.0
        while installation.pid(service) in (old, None):
            assert time.monotonic() < deadline, f"{service} was not started again"
            time.sleep(0.01)
        installation.wait_until_said(f"{service} ended (killed by SIGKILL); starting it again")
    listen(installation, "piio/demo/value/tank", count=2)


def test_a_killed_mosquitto_is_back_within_a_second(installation):
    port = read_address(installation.url).port
    os.kill(int((installation.state / "broker" / "mosquitto.pid").read_text()), signal.SIGKILL)
    time.sleep(0.05)
    deadline = time.monotonic() + 1.0
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    listen(installation, "piio/demo/value/tank", count=2)
