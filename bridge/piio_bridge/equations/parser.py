"""From text to a checked tree: Python's own parser reads, and only what the language has goes on."""

import ast
import difflib
import math
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any

import numpy as np

from piio_schemas.language import CONSTANTS, FUNCTIONS, MAX_LEVELS, MAX_NODES, MAX_SHIFT

from .compiler import compile_operation
from .error import EquationError
from .text import check_text, shorten
from .tree import Comparison, Constant, Node, Operation, Variable

BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}
COMPARING: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
UNARY: Mapping[type[ast.unaryop], str] = {ast.USub: "neg", ast.Invert: "~", ast.Not: "not"}

SUGGESTIBLE = 30
"""The most names among which a similar one is looked for: a misspelling may cost no noticeable time."""


def parse(text: object, names: Collection[str]) -> Node:
    """Return the tree of an equation over the variables `names`; raises EquationError with the column."""
    checked = check_text(text)
    start = len(checked) - len(checked.lstrip())
    return _Parser(names, start + 1).build(_read(checked.strip(), start), 1)


def _read(text: str, start: int) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        offset = min(error.offset or len(text) + 1, len(text) + 1)  # Python says 0 where the text ends too early
        raise EquationError(_explain(error.msg, text[offset - 1 :]), start + offset) from None
    except (ValueError, MemoryError, RecursionError, OverflowError):
        raise EquationError("the equation is too deeply nested: simplify") from None


def _explain(message: str, rest: str) -> str:
    if "'else'" in message:
        return "this 'if' has no 'else': write a if condition else b"
    if not rest.strip():
        return "the equation ends too early: a value is missing"
    return f"the equation cannot be read at {shorten(rest)!r}: an operator or a value is missing or misplaced"


class _Parser:
    def __init__(self, names: Collection[str], first_column: int) -> None:
        self._names = names
        self._first_column = first_column
        self._nodes = 0

    def build(self, node: ast.expr, level: int) -> Node:
        """Return the node as ours; whatever has no builder is not part of the language."""
        if level > MAX_LEVELS:
            raise self._error(node, f"the equation is nested more than {MAX_LEVELS} levels deep: simplify")
        self._count(node, 1)
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        builder = self.BUILDERS.get(type(node))
        if builder is None:
            raise self._error(node, "this is not part of the language: use numbers, names, operators and functions")
        return builder(self, node, level)

    def _count(self, node: ast.expr, more: int) -> None:
        self._nodes += more
        if self._nodes > MAX_NODES:
            raise self._error(node, f"the equation has more than {MAX_NODES} parts: simplify or split it")

    def _error(self, node: ast.expr, message: str) -> EquationError:
        return EquationError(message, node.col_offset + self._first_column)

    def _number(self, node: ast.Constant) -> Node:
        if not isinstance(node.value, int | float):
            raise self._error(node, "this is no number: only numbers are part of the language")
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._error(node, "this number is too large: the largest is about 1.8e308")
        return Constant(value)

    def _name(self, node: ast.Name) -> Node:
        if node.id in CONSTANTS:
            return Constant(CONSTANTS[node.id])
        if node.id in FUNCTIONS:
            raise self._error(node, f"{node.id!r} is a function: write {node.id}(...)")
        if node.id not in self._names:
            known = ", ".join(sorted(self._names)) if len(self._names) <= 8 else "x and the board's points"
            known = f"known are {known}" if self._names else "there are no variables here"
            hint = self._similar(node.id, self._names) or known
            raise self._error(node, f"{shorten(node.id)!r} is not known here: {hint}")
        return Variable(node.id)

    def _similar(self, word: str, names: Collection[str]) -> str:
        if len(word) > 63:
            return ""
        alike = (
            name for name in names if abs(len(name) - len(word)) <= 2 and {word[0], word[-1]} & {name[0], name[-1]}
        )
        close = difflib.get_close_matches(word, list(islice(alike, SUGGESTIBLE)), 1, 0.75)
        return f"is {close[0]} meant?" if close else ""

    def _binary(self, node: ast.BinOp, level: int) -> Node:
        word = BINARY.get(type(node.op))
        if word is None:
            raise self._error(node, "this operator is not part of the language")
        left, right = self.build(node.left, level + 1), self.build(node.right, level + 1)
        if word in ("<<", ">>") and isinstance(right, Constant):
            self._check_shift(node.right, right.value)
        return _folded(Operation(word, (left, right)))

    def _check_shift(self, node: ast.expr, count: float) -> None:
        if not (0 <= count <= MAX_SHIFT and count.is_integer()):
            raise self._error(node, f"the shift count {count:g} is not a whole number from 0 to {MAX_SHIFT}")

    def _unary(self, node: ast.UnaryOp, level: int) -> Node:
        operand = self.build(node.operand, level + 1)
        if isinstance(node.op, ast.UAdd):
            return operand
        return _folded(Operation(UNARY[type(node.op)], (operand,)))

    def _logic(self, node: ast.BoolOp, level: int) -> Node:
        word = "and" if isinstance(node.op, ast.And) else "or"
        return _folded(Operation(word, tuple(self.build(value, level + 1) for value in node.values)))

    def _comparison(self, node: ast.Compare, level: int) -> Node:
        self._count(node, len(node.ops) - 1)
        words = [COMPARING.get(type(operator)) for operator in node.ops]
        known = tuple(word for word in words if word is not None)
        if len(known) < len(words):
            raise self._error(node, "only < <= > >= == != compare: in and is are not part of the language")
        operands = tuple(self.build(operand, level + 1) for operand in (node.left, *node.comparators))
        return _folded(Comparison(known, operands))

    def _choice(self, node: ast.IfExp, level: int) -> Node:
        parts = (node.test, node.body, node.orelse)
        return _folded(Operation("where", tuple(self.build(part, level + 1) for part in parts)))

    def _call(self, node: ast.Call, level: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self._error(node, "only functions can be called: write * for a product")
        word = node.func.id
        if word not in FUNCTIONS:
            raise self._error(node, self._not_callable(word))
        if node.keywords:
            raise self._error(node.keywords[0].value, f"{word} takes its arguments by position: leave the ** out")
        fewest, most = FUNCTIONS[word]
        if len(node.args) < fewest or (most is not None and len(node.args) > most):
            wanted = f"{fewest}" if most == fewest else f"{fewest} or more"
            plural = "" if wanted == "1" else "s"
            raise self._error(node, f"{word} takes {wanted} argument{plural}, not {len(node.args)}")
        operands = tuple(self.build(argument, level + 1) for argument in node.args)
        return operands[0] if word == "float" else _folded(Operation(word, operands))

    def _not_callable(self, word: str) -> str:
        if word in self._names or word in CONSTANTS:
            return f"{shorten(word)!r} is not a function: write {shorten(word)} * (...) for a product"
        hint = self._similar(word, FUNCTIONS) or f"there are {' '.join(FUNCTIONS)}"
        return f"there is no function {shorten(word)!r}: {hint}"

    BUILDERS: Mapping[type[ast.expr], Callable[[Any, Any, int], Node]] = {
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _logic,
        ast.Compare: _comparison,
        ast.IfExp: _choice,
        ast.Call: _call,
    }


def _folded(node: Operation | Comparison) -> Node:
    """Return the operation, or its result where all its operands are constants."""
    values = [operand.value for operand in node.operands if isinstance(operand, Constant)]
    if len(values) < len(node.operands):
        return node
    words = node.word if isinstance(node, Operation) else node.words
    program = compile_operation(words, len(values))
    return Constant(float(program.run({str(number): np.array([value]) for number, value in enumerate(values)})[0]))
