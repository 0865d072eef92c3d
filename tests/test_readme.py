"""What the README prints is what happens: its examples are run as they stand."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

import piio
from tests.conftest import RunningInstallation, StartUp
from tests.witness import Witness

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


@pytest.fixture
def desk(installation: RunningInstallation, tmp_path: Path) -> Iterator[Path]:
    """A folder with `var` in it, as where `./piio up` was typed; the board's configuration is put back at the end."""
    (tmp_path / "var").symlink_to(installation.state)
    with piio.connect(installation.env["PIIO_ADMIN_URL"]) as client:
        before = client.configuration("demo")
        yield tmp_path
        assert client.configure("demo", config={key: before[key] for key in ("points", "displays")}).ok


def run(command: list[str], desk: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIIO_")}
    environment |= {"PATH": path, "XDG_CONFIG_HOME": "var"}
    return subprocess.run(command, cwd=desk, env=environment, capture_output=True, text=True, timeout=40)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.splitlines()[0][2:50])
def test_what_is_typed_works_as_printed(desk: Path, block: str) -> None:
    script = "\n".join(line.removeprefix("$ ") for line in block.splitlines())
    done = run(["bash", "-ec", script], desk)
    assert done.returncode == 0, done.stderr
    assert "mosquitto_pub" in block or done.stdout.strip(), "a command that shows something shows something"


def test_the_python_example_runs(desk: Path) -> None:
    done = run([sys.executable, "-c", blocks("python")[0]], desk)
    assert done.returncode == 0, done.stderr
    assert "done" in done.stdout


def test_the_drivers_file_makes_its_interface_appear(
    desk: Path, installation: RunningInstallation, witness: Witness
) -> None:
    (desk / "drivers").mkdir()
    (desk / "drivers" / "thermometer.py").write_text(blocks("python")[1])
    settings = next(text for text in blocks("toml") if "thermometer" in text)
    (desk / "agent.toml").write_text(f'url = "{installation.env["PIIO_AGENT_URL"]}"\n{settings}')
    command = ["piio", "agent", "--config", "agent.toml", "--interfaces-dir", "drivers"]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with subprocess.Popen(command, cwd=desk, env=os.environ | {"PATH": path}, stderr=subprocess.DEVNULL) as agent:
        witness.wait(lambda seen: b'"driver":"thermometer"' in seen.get("piio/spare/capabilities", b""))
        assert b'"ok":true' in witness.seen["piio/spare/capabilities"]
        agent.terminate()


def test_the_second_board_gets_a_file_that_is_complete(desk: Path, installation: RunningInstallation) -> None:
    command = re.search(r"piio (user add bench1 .*?) >", README)
    assert command
    done = run(["piio", *command[1].split()], desk)
    assert done.returncode == 0, done.stderr
    settings = tomllib.loads(done.stdout)
    assert settings["name"] == "bench1"
    assert settings["url"].startswith("mqtt://bench1")
    assert run(["piio", "user", "remove", "bench1"], desk).returncode == 0


@pytest.fixture
def witness(installation: RunningInstallation) -> Iterator[Witness]:
    made = Witness(installation.state)
    yield made
    made.close()


@pytest.mark.parametrize("block", blocks("toml"))
def test_the_settings_shown_are_toml(block: str) -> None:
    assert tomllib.loads(block)


def test_the_displays_file_is_offered_by_the_page(tmp_path: Path, start_up: StartUp) -> None:
    (tmp_path / "displays").mkdir()
    (tmp_path / "displays" / "traffic-light.js").write_text(blocks("js")[0])
    running = start_up("--displays-dir", str(tmp_path / "displays"))
    running.wait_until_running()
    opener = build_opener(HTTPCookieProcessor())
    link = re.search(r"http://\S+/first/\S+", running.text)
    assert link
    opener.open(link[0], timeout=5).read()
    types = json.load(opener.open(running.env["PIIO_WEB_URL"] + "/displays/", timeout=5))
    assert {"numeric", "progress", "graph", "button", "traffic-light"} <= types.keys()
    module = opener.open(running.env["PIIO_WEB_URL"] + types["traffic-light"], timeout=5)
    assert module.headers.get_content_type() == "text/javascript"
    assert b"class TrafficLight" in module.read()
