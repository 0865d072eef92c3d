"""The equation language: text from users becomes programs over columns of numbers, and nothing else."""

from .equation import Equation, warm_up
from .error import CircleError, EquationError, InverseError
from .inverse import OutputEquation, inverse_of
from .kernels import Column
from .order import evaluation_order

__all__ = [
    "CircleError",
    "Column",
    "Equation",
    "EquationError",
    "InverseError",
    "OutputEquation",
    "evaluation_order",
    "inverse_of",
    "warm_up",
]
