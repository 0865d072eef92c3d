"""A broker with the rights of an installation, and at it what turns readings into values: our bridge, or a peer."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import piio
from piio.address import Address, read_address
from piio.local_socket import nearest
from piio_mosquitto.folder import BrokerFolder
from piio_mosquitto.password import new_password
from piio_schemas.roles import Role
from tests.benchmarks.boards import Boards
from tests.benchmarks.layout import Layout
from tests.benchmarks.load import Kind, Load
from tests.faults.parts import Part, Parts

PUBLISHER = "load"
"""Whoever may write the raws of every board: an identity with the role of a bridge."""


class Stand:
    """The parts of an installation in a folder of its own, its broker at work."""

    def __init__(self, folder: Path) -> None:
        self.parts = Parts(folder)
        password = new_password()
        with BrokerFolder(self.parts.state).identities() as identities:
            identities.add(PUBLISHER, Role.BRIDGE, password)
        self.publisher = Address("127.0.0.1", self.parts.mqtt_port, PUBLISHER, password)
        self.publisher_near = nearest(self.publisher, self.parts.state)
        """The same by the broker's socket file, where it has one."""
        self.reader = read_address(self.parts.env["PIIO_VIEWER_URL"])
        self.parts.broker().start()
        self.parts.wait_for_broker()

    def load(self, layout: Layout, kind: Kind = "numbers") -> Load:
        """What drives it."""
        return Load(self.publisher, self.reader, layout, kind)

    def configure(self, layout: Layout) -> None:
        """Give every board its configuration; the bridge must know them."""
        with piio.connect(self.parts.env["PIIO_ADMIN_URL"]) as admin:
            for name in layout.names():
                answer = admin.configure(name, config=layout.configuration(name))
                assert answer.ok, answer


@contextmanager
def stand() -> Iterator[Stand]:
    """A stand that leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="piio-bench-") as folder:
        made = Stand(Path(folder))
        try:
            yield made
        finally:
            made.parts.close()


@contextmanager
def bridge_at_work(layout: Layout, host: str | None = None) -> Iterator[tuple[Stand, Part]]:
    """A stand with a bridge to which the boards of a layout are alive, and its process; every point is good.

    It reaches the broker as a bridge on the same machine does, by its socket file; with `host` by that and the port.
    """
    with ExitStack() as stack:
        made = stack.enter_context(stand())
        bridge = made.parts.bridge(host=host).start()
        boards = stack.enter_context(Boards(made.publisher, layout))
        boards.wait_known()
        made.configure(layout)
        boards.wait_good()
        yield made, bridge


def cpu_of(pid: int) -> float:
    """Seconds of a core that a process has taken so far, all its threads together, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2)  # the clock that clock_getcpuclockid(3) names


def memory_of(pid: int) -> float:
    """Megabytes that a process occupies now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
