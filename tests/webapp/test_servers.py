"""What people are told when the web app's database or message queue cannot be used: what is wrong, and what to type."""

import argparse
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from piio.checkup import Finding, Scope
from piio.private_file import StateError
from piio_webapp import command, database, message_queue, people, state_folder
from piio_webapp.checkup import checkup
from piio_webapp.errors import MessageQueueError
from piio_webapp.message_queue import MessageQueue
from piio_webapp.tables import opened
from tests.ports import free_port
from tests.postgresql import PostgreSQL
from tests.redis_server import RedisServer


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `piio webapp` says when it does not begin."""

    def run(*options: str) -> str:
        parser = argparse.ArgumentParser()
        command.configure(parser)
        wanted = ["--url", "mqtt://webapp@127.0.0.1:1", "--state", str(tmp_path), *options]
        assert command.run(parser.parse_args(wanted)) == 1
        return capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("option", "url", "variable"),
    [
        ("--message-queue", "redis://:secret@127.0.0.1/0", message_queue.VARIABLE),
        ("--database", "postgresql://piio:secret@127.0.0.1/piio", people.DATABASE),
    ],
)
def test_a_password_among_the_arguments_is_refused(
    refused: Callable[..., str], option: str, url: str, variable: str
) -> None:
    said = refused(option, url)
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


def test_a_database_that_is_not_there_is_told_without_its_password(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(people.DATABASE, f"postgresql://piio:secret@127.0.0.1:{free_port()}/piio")
    said = refused()
    assert "is PostgreSQL running there" in said
    assert "secret" not in said


def test_the_doctor_tries_both_servers(postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[Finding]:
        return list(checkup(Scope()))

    monkeypatch.setenv(people.DATABASE, postgresql.database())
    with RedisServer() as redis:
        monkeypatch.setenv(message_queue.VARIABLE, redis.url)
        assert [finding.ok for finding in found()] == [True, True, True]
        assert "between" not in str(found())
        monkeypatch.setenv(message_queue.VARIABLE, redis.url.replace("between", "beneath"))
        refused = found()[-1]
        assert not refused.ok and refused.remedy == f"put the URL with its password into ${message_queue.VARIABLE}"
    monkeypatch.setenv(people.DATABASE, "postgresql+psycopg://127.0.0.1:1/piio")
    _, database, queue = found()
    assert not database.ok and "is PostgreSQL running there" in database.remedy
    assert not queue.ok and queue.remedy == "start it, e.g. sudo systemctl start redis-server"


def test_web_apps_may_begin_with_the_same_empty_database_at_the_same_moment(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    url, together = postgresql.database(), threading.Barrier(6)

    def begin(_: int) -> None:
        together.wait()
        opened(tmp_path, url).dispose()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(begin, range(6)))
