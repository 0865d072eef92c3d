"""Every benchmark there is, by its module, in the order in which they run and stand on the page.

A benchmark is a module with TITLE, a few words for a heading, and `measure(run: Run) -> list[Figure]`, which starts
what it needs and leaves nothing behind, however it ends. One line here makes it part of `./piio bench` and of the page.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

from tests.benchmarks.figure import Figure
from tests.benchmarks.run import Run

BENCHMARKS = (
    "bridge",
    "set_to_value",
    "agents",
    "pin_to_page",
    "webapp",
    "history",
    "crowd_of_agents",
    "board_on_a_kernel",
)  # fmt: skip


class Benchmark(Protocol):
    """What such a module has."""

    TITLE: str

    def measure(self, run: Run) -> list[Figure]:
        """Measure and return what was found."""
        ...


def benchmark(name: str) -> Benchmark:
    """Return one by its name; only then is it imported, with what it needs."""
    return cast(Benchmark, import_module(f"tests.benchmarks.{name}"))


def chosen(names: Iterable[str]) -> list[str]:
    """Return these in their order, or all of them; ValueError for one there is not."""
    wanted = set(names)
    strangers = sorted(wanted - set(BENCHMARKS))
    if strangers:
        raise ValueError(f"there is no benchmark '{strangers[0]}': there are {', '.join(BENCHMARKS)}")
    return [name for name in BENCHMARKS if not wanted or name in wanted]
