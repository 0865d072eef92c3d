"""What differs between two configurations, path by path."""

from collections.abc import Iterator
from typing import Any

MOST_PATHS = 20


def differing(before: Any, after: Any) -> list[str]:
    """Return the paths that differ, such as `points.tank.unit`; how many more where they are too many."""
    paths = list(_paths("", before, after))
    more = len(paths) - MOST_PATHS
    return paths if more <= 0 else [*paths[:MOST_PATHS], f"{more} more"]


def _paths(path: str, before: Any, after: Any) -> Iterator[str]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        if type(before) is not type(after) or before != after:
            yield path
        return
    for key in sorted(before.keys() | after.keys()):
        inner = f"{path}.{key}" if path else key
        if key not in before:
            yield f"{inner} (new)"
        elif key not in after:
            yield f"{inner} (removed)"
        else:
            yield from _paths(inner, before[key], after[key])
