"""A bench for each test."""

import pytest

from tests.agent.outputs.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
