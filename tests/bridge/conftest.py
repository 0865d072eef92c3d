"""Fixtures: one broker and one bridge a module, and boards of fresh names."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.peers import Board, Bridge, Broker, Peer


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind that a bridge can have."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bridge.db"
    url: str = request.getfixturevalue("postgresql").database()
    return url


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    started = Broker(tmp_path_factory.mktemp("broker"))
    yield started
    started.kill()


@pytest.fixture(scope="module")
def bridge(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    started = Bridge(broker, tmp_path_factory.mktemp("bridge"))
    yield started
    started.kill()


_names = itertools.count(1)


@pytest.fixture
def new_board(broker: Broker, bridge: Bridge) -> Iterator[Callable[..., Board]]:
    """Makes boards of fresh names, which the bridge has given their empty configuration."""
    boards = []

    def make(boot: str = "boot1") -> Board:
        made = Board(broker, f"board{next(_names)}", boot)
        boards.append(made)
        made.wait(f"piio/{made.name}/config", lambda payload: b'"revision":0' in payload)
        return made

    yield make
    for made in boards:
        made.close()


@pytest.fixture
def board(new_board: Callable[..., Board]) -> Board:
    return new_board()


@pytest.fixture
def anna(broker: Broker, bridge: Bridge, board: Board) -> Iterator[Peer]:
    """A person who hears all about the board."""
    peer = Peer(broker, f"piio/{board.name}/#", "piio/bridge/#")
    yield peer
    peer.close()


@pytest.fixture
def configure(anna: Peer, board: Board) -> Callable[..., Any]:
    """Patches the board's points and waits until they are applied."""

    def configure(points: Any, **more: Any) -> Any:
        answer = anna.request(f"piio/{board.name}/config/set", {"patch": {"points": points}, **more})
        assert answer["ok"], answer
        wanted = f'"revision": {answer["revision"]},'.encode()
        anna.wait(f"piio/{board.name}/config/applied", lambda payload: wanted in payload)
        return answer

    return configure
