"""Fixtures: one running installation for all tests of the web app, and a board in it."""

from collections.abc import Iterator

import pytest

from tests.webapp.bench import Bench
from tests.webapp.stage import Stage


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage(tmp_path_factory.mktemp("stage"))
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def bench(stage: Stage) -> Bench:
    return Bench(stage)
