"""Which software this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def software() -> str:
    """Return the name and version of the installed distribution."""
    try:
        return f"piio {version('piio')}"
    except PackageNotFoundError:
        return "piio"
