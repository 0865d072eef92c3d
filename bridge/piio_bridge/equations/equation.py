"""An equation, checked and compiled, ready for columns of numbers."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np

from piio_schemas.language import VARIABLE

from .kernels import PROGRAMS, Column, kernel
from .parser import parse
from .shape import shape_of
from .tree import NUMBER, Constant, Node, Variable, variables_of


class Equation:
    """A user's expression over `x` and the names of points, with Python's meaning in float64.

    `names` are the variables it may use; raises EquationError. `text` is what the user wrote, `tree` what it means,
    and `names` the variables it does use. It never changes and may be used from several threads.
    """

    def __init__(self, text: str, names: Collection[str] = (VARIABLE,)) -> None:
        self.text = text
        self.tree: Node = parse(text, names)
        self.names = frozenset(variables_of(self.tree))
        self._constant = self.tree.value if isinstance(self.tree, Constant) else None
        self._program, self._numbers = shape_of(self.tree)
        self._columns = {f"{NUMBER}{at}": np.array(number) for at, number in enumerate(self._numbers)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def evaluate(self, columns: Mapping[str, Column], n: int | None = None) -> Column:
        """Return the result for each row of the columns, NaN where it is not finite.

        Columns are float64 and of one length, NaN where an input is missing; those it does not use may be left out.
        An equation without variables gives `n` rows, or as many as any column has. Nothing is checked here: most
        equations are one numexpr call, and a group of points with the same equation is one column.
        """
        if self._constant is None:
            return self._program.run({**columns, **self._columns})
        if n is None:
            n = len(next(iter(columns.values()), (0.0,)))
        return np.full(n, self._constant)

    @property
    def shape(self) -> object:
        """What is the same for all equations that differ in their numbers alone."""
        return self if self._constant is not None else self._program

    @staticmethod
    def evaluate_together(equations: Sequence["Equation"], counts: Sequence[int], x: Column) -> Column:
        """Return the results of equations of one shape over `x` alone, each for so many of its rows, by one call."""
        numbers = np.repeat([equation._numbers for equation in equations], counts, axis=0).T
        columns = {f"{NUMBER}{at}": column for at, column in enumerate(np.ascontiguousarray(numbers))}
        return equations[0]._program.run({VARIABLE: x, **columns})

    def value(self, /, **names: float) -> float | None:
        """Return the result for one number per variable, `None` where it is not finite."""
        if isinstance(self.tree, Variable):  # most outputs are what they are: no need for columns
            result = float(names[self.tree.name])
        else:
            columns = {name: np.array([number], np.float64) for name, number in names.items()}
            result = float(self.evaluate(columns, 1)[0])
        return result if math.isfinite(result) else None


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Compile what equations share, so that the first of them is not the slow one."""
    for word in PROGRAMS:
        kernel(word)
    Equation("(float(x) / 1023) * 100 if x > 0 else x % 2").value(x=1.0)
