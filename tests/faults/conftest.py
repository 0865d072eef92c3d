"""Installations that may be broken, and a witness of all that happens at their brokers."""

from collections.abc import Iterator

import pytest

from tests.conftest import RunningInstallation, simulated_installation
from tests.faults.network import Network, need_namespaces
from tests.faults.parts import Parts
from tests.witness import Witness, all_is_right


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstallation]:
    """An installation of this module's own."""
    with simulated_installation(tmp_path_factory.mktemp("victim")) as running:
        yield running


@pytest.fixture
def witness(victim: RunningInstallation) -> Iterator[Witness]:
    """Somebody who sees everything, once all is right; the lamp is off."""
    made = Witness(victim.state)
    made.wait(all_is_right)
    made.act("lamp", 0)
    yield made
    made.close()


@pytest.fixture
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """The parts of an installation, none of them started."""
    made = Parts(tmp_path_factory.mktemp("parts"))
    yield made
    made.close()


@pytest.fixture
def network() -> Iterator[Network]:
    """A network with one link to ours."""
    need_namespaces()
    made = Network()
    yield made
    made.close()
