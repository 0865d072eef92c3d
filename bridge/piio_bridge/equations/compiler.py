"""From a tree to a program: a short list of stages, each one call over whole columns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from threading import Lock

import numpy as np

from .kernels import COMPARISONS, Column, Kernel, kernel, program
from .tree import NUMBER, Comparison, Constant, Node, Operation, Variable, variables_of

LONGEST = 12
"""The most operations in one numexpr program; its compiler's time for each grows with their number."""

FINITE = "fmod({}, 1e999)"
"""The remainder of a division by infinity: the number itself if it is finite, else NaN."""

ARITHMETIC: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "+": ("({} + {})", ()),
    "-": ("({} - {})", ()),
    "*": ("({} * {})", ()),
    "/": ("({} / {})", (1,)),
    "neg": ("(-{})", ()),
    **{word: (word + "({})", ()) for word in ("abs", "sqrt", "log", "log10", "log1p")},
    **{word: ("(" + word + "({}) + 0.0)", ()) for word in ("round", "floor", "ceil")},  # Python's have no -0
    **{word: (word + "({})", ()) for word in ("sin", "cos", "tan", "arcsin", "arccos", "sinh", "cosh")},
    **{word: (word + "({})", (0,)) for word in ("exp", "expm1", "arctan", "tanh")},
    "arctan2": ("arctan2({}, {})", (0, 1)),
}
"""What numexpr fuses: its text, and which operands it would turn from infinite to finite."""

RUNNING = Lock()
"""Held while a program runs: two threads in one compiled numexpr object corrupt the process's memory.

One lock for all, because equations share their compiled parts; it is held for microseconds.
"""

FINITE_KERNELS = frozenset({*COMPARISONS, "and", "or", "not", "&", "|", "^", "~", "<<", ">>"})
"""The kernels whose result is finite or NaN, never infinite."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One call: the numbers of the columns that go in, and of the one that comes out."""

    kernel: Kernel
    operands: tuple[int, ...]
    target: int


@dataclass(frozen=True, slots=True)
class Program:
    """The inputs' names, the columns to begin with (constants; `None` where one comes later) and the stages."""

    inputs: tuple[str, ...]
    columns: tuple[Column | None, ...]
    stages: tuple[Stage, ...]
    result: int

    def run(self, inputs: Mapping[str, Column]) -> Column:
        """Return the result, NaN where it is not finite; raises KeyError for an input that is not there."""
        columns: list[Column | None] = [*self.columns]
        for number, name in enumerate(self.inputs):
            columns[number] = inputs[name]
        with RUNNING:
            for stage in self.stages:
                columns[stage.target] = stage.kernel(*[columns[number] for number in stage.operands])
        result = columns[self.result]
        assert result is not None, "the last stage made it"
        return result


@dataclass(frozen=True, slots=True)
class _Fragment:
    """Text for numexpr in which `c3` is column 3, its number of operations, and whether it may be infinite."""

    text: str
    operations: int
    infinite: bool


def compile_tree(tree: Node) -> Program:
    """Compile a tree; no part of it is computed twice and no user's text goes in but numbers."""
    return _Compiler(tuple(sorted(set(variables_of(tree))))).compile(tree)


@lru_cache(maxsize=1024)
def compile_operation(words: str | tuple[str, ...], count: int) -> Program:
    """Compile one operation, or one chain of comparisons, on as many variables; constants are computed by it."""
    operands = tuple(Variable(str(number)) for number in range(count))
    return compile_tree(Operation(words, operands) if isinstance(words, str) else Comparison(words, operands))


class _Compiler:
    def __init__(self, inputs: tuple[str, ...]) -> None:
        self._inputs = inputs
        self._columns: list[Column | None] = [None] * len(inputs)
        self._stages: list[Stage] = []

    def compile(self, tree: Node) -> Program:
        fragment = self._fragment(tree)
        result = self._column(self._finite(fragment))
        return Program(self._inputs, tuple(self._columns), tuple(self._stages), result)

    def _fragment(self, node: Node) -> _Fragment:
        if isinstance(node, Variable):
            number = node.name.startswith(NUMBER)
            return _Fragment(f"c{self._inputs.index(node.name)}", 0, infinite=not number)
        if isinstance(node, Constant):
            return self._constant(node.value)
        if isinstance(node, Comparison):
            return self._comparison(node)
        if node.word in ARITHMETIC:
            return self._arithmetic(*ARITHMETIC[node.word], node)
        if node.word == "**" and isinstance(node.operands[1], Constant) and abs(node.operands[1].value) > 0:
            return self._arithmetic("({} ** {})", (0,), node)
        if node.word in ("and", "or"):
            return self._fold(node.word, [self._column(self._fragment(operand)) for operand in node.operands])
        return self._call(node.word, [self._column(self._fragment(operand)) for operand in node.operands])

    def _constant(self, value: float) -> _Fragment:
        # numexpr has no word for NaN and keeps one register for 0.0 and -0.0: these two become columns.
        if np.isfinite(value) and not (value == 0 and np.signbit(value)):
            return _Fragment(repr(value) if value >= 0 else f"({value!r})", 0, infinite=False)
        return _Fragment(f"c{self._add(np.array(value))}", 0, infinite=False)

    def _arithmetic(self, template: str, hiding: tuple[int, ...], node: Operation) -> _Fragment:
        operands = [self._fragment(operand) for operand in node.operands]
        operands = [self._finite(each) if at in hiding else each for at, each in enumerate(operands)]
        while sum(each.operations for each in operands) >= LONGEST:
            at = max(range(len(operands)), key=lambda at: operands[at].operations)
            operands[at] = _Fragment(f"c{self._column(operands[at])}", 0, operands[at].infinite)
        text = template.format(*(each.text for each in operands))
        return _Fragment(text, 1 + sum(each.operations for each in operands), infinite=True)

    def _comparison(self, node: Comparison) -> _Fragment:
        columns = [self._column(self._fragment(operand)) for operand in node.operands]
        pairs = [
            self._column(self._call(word, pair))
            for word, pair in zip(node.words, map(list, pairwise(columns)), strict=True)
        ]
        return self._fold("and", pairs)

    def _fold(self, word: str, columns: list[int]) -> _Fragment:
        """Join from the right, so that each column hides those after it when it decides."""
        *others, last = columns
        result = _Fragment(f"c{last}", 0, infinite=False)
        for column in reversed(others):
            result = self._call(word, [column, self._column(result)])
        return result

    def _call(self, word: str, columns: list[int]) -> _Fragment:
        target = self._add(None)
        self._stages.append(Stage(kernel(word), tuple(columns), target))
        return _Fragment(f"c{target}", 0, infinite=word not in FINITE_KERNELS)

    def _finite(self, fragment: _Fragment) -> _Fragment:
        if not fragment.infinite:
            return fragment
        return _Fragment(FINITE.format(fragment.text), fragment.operations + 1, infinite=False)

    def _column(self, fragment: _Fragment) -> int:
        """Return the number of the column that holds what the fragment stands for, by a stage where it must."""
        alone = re.fullmatch(r"c(\d+)", fragment.text)
        if alone:
            return int(alone[1])
        found = sorted({int(number) for number in re.findall(r"\bc(\d+)\b", fragment.text)})
        if not found:
            return self._add(np.array(float(fragment.text.strip("()"))))
        text = re.sub(r"\bc(\d+)\b", lambda match: f"v{found.index(int(match[1]))}", fragment.text)
        target = self._add(None)
        self._stages.append(Stage(program(text, len(found)), tuple(found), target))
        return target

    def _add(self, column: Column | None) -> int:
        self._columns.append(column)
        return len(self._columns) - 1
