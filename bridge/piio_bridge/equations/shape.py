"""Equations that differ in their numbers alone are one program, of which the numbers are columns.

Of a thousand sensors each has a calibration of its own, and few ways to apply it.
"""

from functools import lru_cache

from .compiler import Program, compile_tree
from .tree import NUMBER, Comparison, Constant, Node, Operation, Variable


def shape_of(tree: Node) -> tuple[Program, tuple[float, ...]]:
    """Return the program of a tree with its numbers left out, and the numbers: the variables `#0`, `#1`, …"""
    numbers: list[float] = []
    shape = _without_numbers(tree, numbers)
    return _compiled(shape), tuple(numbers)


@lru_cache(maxsize=4096)
def _compiled(shape: Node) -> Program:
    return compile_tree(shape)


def _without_numbers(node: Node, numbers: list[float]) -> Node:
    if isinstance(node, Variable):
        return node
    if isinstance(node, Constant):
        numbers.append(node.value)
        return Variable(f"{NUMBER}{len(numbers) - 1}")
    if isinstance(node, Comparison):
        return Comparison(node.words, tuple(_without_numbers(each, numbers) for each in node.operands))
    first, *others = node.operands
    if node.word == "**" and isinstance(others[0], Constant):  # a power by a number is computed in another way
        return Operation(node.word, (_without_numbers(first, numbers), others[0]))
    return Operation(node.word, tuple(_without_numbers(each, numbers) for each in node.operands))
