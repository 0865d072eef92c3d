"""Policies of an output that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from piio_schemas.configuration import OutputPoint


def contradictions(point: OutputPoint) -> Iterator[tuple[str, str]]:
    """Yield the field and the message of what the policies of an output cannot all have."""
    if point.max_on is not None and point.max_on < point.min_on:
        yield "max_on", f"Expected at least min_on, {point.min_on:g} s, got {point.max_on:g}"
    if point.interlock:
        for field, harmless in (("on_start", "off, last or 0"), ("on_lost", "off, hold or 0")):
            given = getattr(point, field)
            if given == "on" or (not isinstance(given, str) and given != 0):
                shown = given if isinstance(given, str) else f"{given:g}"
                yield (
                    field,
                    f"an output in an interlock group cannot come on by itself: wanted {harmless}, got {shown}",
                )
