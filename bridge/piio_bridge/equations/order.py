"""The order in which points that depend on each other are computed."""

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

from .error import CircleError


def evaluation_order(dependencies: Mapping[str, Collection[str]]) -> list[str]:
    """Return the keys so that each comes after all it depends on; the same order for the same dependencies.

    Raises CircleError with the points of a circle in the order of dependence.
    """
    # Sorted, because the iteration over a set differs from one start of the process to the next.
    sorter = TopologicalSorter({name: sorted(dependencies[name]) for name in sorted(dependencies)})
    try:
        return [name for name in sorter.static_order() if name in dependencies]
    except CycleError as error:
        raise CircleError(error.args[1][::-1]) from None
