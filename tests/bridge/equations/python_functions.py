"""What each function of the equations' language is in plain Python."""

import math
from collections.abc import Callable

from piio_schemas.language import FUNCTIONS

PYTHON: dict[str, Callable[..., float]] = {
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "arctan2": math.atan2,
    "float": float,
    "abs": abs,
    "min": min,
    "max": max,
    "round": round,
    **{name: getattr(math, name) for name in FUNCTIONS if hasattr(math, name)},
    "where": lambda condition, then, otherwise: then if condition else otherwise,
}
