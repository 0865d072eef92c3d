"""What people are told when the web app's database or message queue cannot be used: what is wrong, and what to type."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from piio.private_file import StateError
from piio_webapp import database, message_queue, people, state_folder
from piio_webapp.errors import MessageQueueError
from piio_webapp.message_queue import MessageQueue
from piio_webapp.tables import opened
from tests.postgresql import PostgreSQL
from tests.redis_server import RedisServer
from tests.webapp.stage import PIIO, free_port


def refused(tmp_path: Path, *options: str, **environment: str) -> str:
    """What `piio webapp` says when it does not begin."""
    command = [*PIIO, "webapp", "--url", "mqtt://webapp@127.0.0.1:1", "--state", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=30)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize(
    ("option", "url", "variable"),
    [
        ("--message-queue", "redis://:secret@127.0.0.1/0", message_queue.VARIABLE),
        ("--database", "postgresql://piio:secret@127.0.0.1/piio", people.DATABASE),
    ],
)
def test_a_password_among_the_arguments_is_refused(tmp_path: Path, option: str, url: str, variable: str) -> None:
    said = refused(tmp_path, option, url)
    assert f"put the URL with the password into ${variable}" in said
    assert "secret" not in said


def test_a_key_that_is_not_there_is_told_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"copy webapp.key from the first web app's folder"):
        state_folder.read_key(tmp_path / "session.key")


def test_a_missing_package_is_told_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("redis", "psycopg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MessageQueueError, match=r"pip install 'piio\[redis\]'"):
        MessageQueue("redis://127.0.0.1")
    with pytest.raises(StateError, match=r"pip install 'piio\[postgresql\]'"):
        database.engine("postgresql://127.0.0.1/piio")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1:6379", "redis://127.0.0.1:port"])
def test_what_is_no_message_queue_is_told_with_an_example(url: str) -> None:
    with pytest.raises(MessageQueueError, match=r"is no message queue's URL"):
        MessageQueue(url)


def test_a_database_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://piio:secret@127.0.0.1:{free_port()}/piio"
    said = refused(tmp_path, **{people.DATABASE: url})
    assert "is PostgreSQL running there" in said
    assert "secret" not in said


def test_the_doctor_tries_both_servers(postgresql: PostgreSQL) -> None:
    with RedisServer() as redis:
        servers = {people.DATABASE: postgresql.database(), message_queue.VARIABLE: redis.url}
        found = doctor(**servers)
        assert [finding["ok"] for finding in found] == [True, True, True]
        assert "between" not in str(found)
        wrong = servers | {message_queue.VARIABLE: redis.url.replace("between", "beneath")}
        assert [finding["ok"] for finding in doctor(**wrong)] == [True, True, False]
    found = doctor(**servers | {people.DATABASE: "postgresql+psycopg://127.0.0.1:1/piio"})
    assert [finding["ok"] for finding in found] == [True, False, False]
    assert "PostgreSQL running" in found[1]["remedy"] and "redis-server" in found[2]["remedy"]


def doctor(**environment: str) -> list[dict[str, str]]:
    """What `piio doctor` finds of the web app."""
    done = subprocess.run([*PIIO, "doctor", "--json"], capture_output=True, env=os.environ | environment, timeout=30)
    return [finding for finding in json.loads(done.stdout) if finding["part"] == "web app"]


def test_two_web_apps_may_begin_with_the_same_empty_database_at_the_same_moment(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    code = "import sys; from pathlib import Path; from piio_webapp.tables import opened; opened(Path(), sys.argv[1])"
    url = postgresql.database()
    begun = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(4)]
    assert [process.wait(30) for process in begun] == [0] * 4
    opened(tmp_path, url).dispose()
