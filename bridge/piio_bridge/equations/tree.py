"""An equation as a tree of the few kinds of nodes that the language has."""

from collections.abc import Iterator
from dataclasses import dataclass

NUMBER = "#"
"""How the names of variables begin that stand for a number of the equation's own; no user's does."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number; NaN is the result of constants that have no finite one, such as 1/0."""

    value: float


@dataclass(frozen=True, slots=True)
class Variable:
    """The channel's raw or another point."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or a function and what it is applied to; `a if c else b` is `where`, unary minus is `neg`."""

    word: str
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two or more operands in a chain with a comparison between each pair of neighbours."""

    words: tuple[str, ...]
    operands: tuple["Node", ...]


Node = Constant | Variable | Operation | Comparison


def variables_of(node: Node) -> Iterator[str]:
    """Yield the name of each variable, as often as it occurs."""
    if isinstance(node, Variable):
        yield node.name
    elif not isinstance(node, Constant):
        for operand in node.operands:
            yield from variables_of(operand)
