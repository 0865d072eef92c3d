"""Starting and stopping the web app as a process."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from piio_webapp.state_folder import instance
from tests.webapp.bench import Bench
from tests.webapp.stage import PIIO, Page, Stage, Visitor, eventually


@pytest.fixture
def statuses(stage: Stage) -> Iterator[list[bytes]]:
    """What the web app's status has said since."""
    heard: list[bytes] = []
    with stage.connection(lambda message: heard.append(message.payload)) as connection:
        connection.subscribe([("piio/webapp/+/status", 1)])
        eventually(lambda: heard, "a retained status")
        yield heard


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_three_seconds_with_pages_open(
    stage: Stage, bench: Bench, statuses: list[bytes], number: int
) -> None:
    pages = [bench.open("vera", bench.admin) for _ in range(5)]
    taken = stage.webapp.stop(number)
    assert stage.webapp.child
    assert stage.webapp.child.returncode == 0
    assert taken < 3
    assert all(page.closed(1) for page in pages)
    eventually(lambda: statuses[-1] == b"offline", "word that it is offline")
    stage.webapp.start()
    eventually(stage.healthy, "the web app again")
    eventually(lambda: statuses[-1] == b"online", "word that it is online")


def test_killed_it_leaves_nothing_behind_and_starts_again_at_once(stage: Stage, statuses: list[bytes]) -> None:
    visitor = stage.visitor("vera")
    stage.webapp.stop(signal.SIGKILL)
    eventually(lambda: statuses[-1] == b"offline", "its last will")
    stage.webapp.start()
    eventually(stage.healthy, "the web app again")
    assert visitor.get("/").url == stage.url + "/", "a restart logs nobody out"


def test_when_a_board_was_last_seen_outlives_the_web_app(stage: Stage, bench: Bench) -> None:
    left = stage.add_board("leaver")
    visitor = stage.visitor("vera")

    def summary(page: Page, status: str) -> Any:
        def found() -> Any:
            told = [frame["boards"].get("leaver") for frame in page.frames if "boards" in frame]
            return told[-1] if told and told[-1] and told[-1]["status"] == status else None

        page.look()
        return page.wait(found, f"a board that is {status}")

    page = visitor.page()
    summary(page, "online")
    left.stop()
    before = summary(page, "offline")["seen"]
    assert before
    page.close()
    stage.webapp.stop(signal.SIGTERM)
    stage.webapp.start()
    eventually(stage.healthy, "the web app again")
    page = visitor.page()
    assert summary(page, "offline")["seen"] == before
    page.close()


def test_a_status_that_somebody_falsifies_is_put_right(stage: Stage, statuses: list[bytes]) -> None:
    with stage.connection() as connection:
        name = instance((stage.state / "webapp.key").read_bytes())
        connection.publish(f"piio/webapp/{name}/status", b"offline", 1, True)
        eventually(lambda: b"offline" in statuses and statuses[-1] == b"online", "online again")


def test_it_is_not_well_without_a_broker_and_recovers(stage: Stage, bench: Bench) -> None:
    page = bench.open("vera")
    stage.broker.stop(signal.SIGKILL)
    eventually(lambda: not stage.healthy(), "word that the broker is gone")
    page.wait(lambda: any(f.get("link", {}).get("broker") is False for f in page.frames), "word to the page")
    stage.broker.start()
    eventually(stage.healthy, "the broker again", 15)
    seen = len(page.frames)
    page.wait(lambda: any("tank" in f.get("values", {}) for f in page.frames[seen:]), "values again", 15)


def _refusal(*options: str) -> str:
    done = subprocess.run([*PIIO, "webapp", *options], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_is_wrong_at_the_start_is_said_in_a_line(stage: Stage, tmp_path: Path) -> None:
    url = f"mqtt://webapp:hush@127.0.0.1:{stage.mqtt_port}"
    usual = ("--url", url, "--state", str(tmp_path))
    assert "already in use" in _refusal(*usual, "--port", str(stage.web_port))
    assert "there is no folder" in _refusal(*usual, "--displays-dir", str(tmp_path / "none"))
    (tmp_path / "file").touch()
    assert "is a file, a folder is needed" in _refusal("--url", url, "--state", str(tmp_path / "file"))
    (tmp_path / "webapp.db").write_text("this is no database, this is no database, this is no database")
    refusal = _refusal(*usual, "--port", "0")
    assert "not a database" in refusal
    assert "hush" not in refusal


def test_secrets_are_their_owners_alone(stage: Stage) -> None:
    for name in ("webapp.key", "webapp.db"):
        assert (stage.state / name).stat().st_mode & 0o077 == 0, name
    assert Visitor(stage.url).get("/healthz").status == 200
