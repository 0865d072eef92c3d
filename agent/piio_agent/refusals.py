"""Which points are not in force because the board cannot give them, or not beside others."""

from collections.abc import Mapping

from piio_schemas.configuration import Point
from piio_schemas.counted_lines import counting_refusals
from piio_schemas.rates import excessive_rates
from piio_schemas.states import InterfaceCapability


def refusals(points: Mapping[str, Point], interfaces: Mapping[str, InterfaceCapability]) -> dict[str, str]:
    """Return, by point, the reason; the bridge has refused such a configuration, unless it knew less."""
    # What is polled too often harms nobody.
    sampled = {
        name: problem.message
        for name, problems in excessive_rates(points, interfaces).items()
        for problem in problems
        if problem.path.endswith(".sample_rate")
    }
    return sampled | counting_refusals(points, interfaces)
