"""The words and limits of the equation language, for whoever checks, explains or completes an equation."""

import math
from collections.abc import Mapping
from types import MappingProxyType

VARIABLE = "x"
"""The name of the channel's raw in an equation, and of the value in an inverse."""

CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi, "True": 1.0, "False": 0.0})
"""What has a fixed value; the names are no point's."""

FUNCTIONS: Mapping[str, tuple[int, int | None]] = MappingProxyType(
    {
        "float": (1, 1),
        "abs": (1, 1),
        "min": (2, None),
        "max": (2, None),
        "round": (1, 1),
        "floor": (1, 1),
        "ceil": (1, 1),
        "sqrt": (1, 1),
        "exp": (1, 1),
        "expm1": (1, 1),
        "log": (1, 1),
        "log10": (1, 1),
        "log1p": (1, 1),
        "sin": (1, 1),
        "cos": (1, 1),
        "tan": (1, 1),
        "arcsin": (1, 1),
        "arccos": (1, 1),
        "arctan": (1, 1),
        "arctan2": (2, 2),
        "sinh": (1, 1),
        "cosh": (1, 1),
        "tanh": (1, 1),
        "where": (3, 3),
    }
)
"""Each function with the fewest and the most arguments it takes; `None` is any number of them."""

KEYWORDS = frozenset({"and", "or", "not", "if", "else"})
"""The words of Python's own grammar that an equation may use, beside True and False."""

MAX_CHARACTERS = 512
"""The longest equation."""

MAX_NODES = 256
"""The most names, numbers, operators and calls in one equation."""

MAX_LEVELS = 32
"""The deepest nesting of an equation, of its operations and of its parentheses alike."""

MAX_SHIFT = 63
"""The largest count of `<<` and `>>`."""
