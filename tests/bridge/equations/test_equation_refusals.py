"""What is not in the language is refused, with a sentence for people and the column of the culprit."""

import re
import time
import warnings

import pytest

from piio_bridge.equations import Equation, EquationError

HOSTILE = [
    ("", None, "empty"),
    ("    ", None, "empty"),
    ("x.real", 2, "attributes"),
    ("x.__class__", 2, "attributes"),
    ("().__class__.__bases__", 3, "attributes"),
    ("1 .real", 3, "attributes"),
    ("1.real", 1, "no number"),
    ("1..real", 1, "no number"),
    ("1.0.real", 1, "no number"),
    ("x[0]", 2, "subscripts"),
    ("[x for x in (1,)]", 1, "lists"),
    ("{x}", 1, "braces"),
    ("{}", 1, "braces"),
    ("'x'", 1, "quotes"),
    ('x + "1"', 5, "quotes"),
    ("f'{x}'", 2, "quotes"),
    ("b'x'", 2, "quotes"),
    ("r'''x'''", 2, "quotes"),
    ("lambda: 0", 1, "'lambda'"),
    ("x if lambda else 1", 6, "'lambda'"),
    ("(y := 5)", 4, "colons"),
    ("x = 5", 3, "=="),
    ("max(x, key=abs)", 11, "=="),
    ("x; x", 2, "one expression"),
    ("x # comment", 3, "comments"),
    ("x \\ + 1", 3, "one line"),
    ("x\n+1", 2, "line break"),
    ("x\r", 2, "line break"),
    ("x\x0b", 2, "line break"),
    ("x\x00", 2, r"U\+0000"),
    ("\x00", 1, r"U\+0000"),
    ("x\t+1", 2, r"U\+0009"),
    ("x\x7f", 2, r"U\+007F"),
    ("\ufeffx", 1, r"U\+FEFF"),
    ("x+\u200b1", 3, r"U\+200B"),
    ("x\u2028", 2, "line break"),
    ("x × 2", 3, r"write \*"),
    ("x²", 2, r"write \*\* 2"),
    ("٣ + x", 1, "ASCII"),
    ("x + ½", 5, "ASCII"),
    ("𝗑 + 1", 1, "ASCII"),
    ("ｘ + 1", 1, "ASCII"),
    ("2 * π", 5, "write pi"),
    ("__import__(x)", 1, "no function '__import__'"),
    ("eval(x)", 1, "no function 'eval'"),
    ("exec(x)", 1, "no function"),
    ("getattr(x, x)", 1, "no function"),
    ("open(0)", 1, "no function"),
    ("print(x)", 1, "no function"),
    ("pow(9, x)", 1, "no function"),
    ("int(x)", 1, "no function"),
    ("sqr(x)", 1, "sqrt"),
    ("__debug__", 1, "not known"),
    ("__builtins__", 1, "not known"),
    ("None", 1, "'None'"),
    ("...", 1, "attributes"),
    ("await x", 1, "'await'"),
    ("yield x", 1, "'yield'"),
    ("x is 5", 3, "'is'"),
    ("x in (1, 2)", 3, "'in'"),
    ("x not in (1, 2)", 7, "'in'"),
    ("import os", 1, "'import'"),
    ("del x", 1, "'del'"),
    ("x async", 3, "'async'"),
    ("max(*x, 1)", 5, "not part of the language"),
    ("max(1, 2, **x)", 13, "by position"),
    ("*x", 1, "cannot be read|not part"),
    ("x, x", 1, "not part of the language"),
    ("()", 1, "not part of the language"),
    ("x @ x", 3, "cannot be used"),
    ("x ! 1", 3, "not"),
    ("x ? 1", 3, "cannot be used"),
    ("$x", 1, "cannot be used"),
    ("`x`", 1, "cannot be used"),
    ("1_000", 1, "digit groups"),
    ("x + 1_0.5", 5, "digit groups"),
    ("0x10", 1, "decimal"),
    ("0b11 + x", 1, "decimal"),
    ("0o17", 1, "decimal"),
    ("007", 1, "begins with 0"),
    ("2j", 1, "imaginary"),
    ("x * 1.5J", 5, "imaginary"),
    ("2x", 1, r"2 \* x"),
    ("1if x else 2", 1, "no number"),
    ("1e5e", 1, "no number"),
    ("1e", 1, "no number"),
    ("x + 1e999", 5, "too large"),
    ("9" * 400, 1, "too large"),
    ("-1e309", 2, "too large"),
    ("inf", 1, "not known"),
    ("nan", 1, "not known"),
    ("e", 1, "not known"),
    ("y + 1", 1, "'y' is not known here.*ambient, x"),
    ("ambiant * 2", 1, "is ambient meant"),
    ("X", 1, "not known"),
    ("abs + 1", 1, "is a function"),
    ("x + min", 5, "is a function"),
    ("x(3)", 1, "not a function"),
    ("pi(2)", 1, "not a function"),
    ("True(2)", 1, "cannot|only functions|not a function"),
    ("2(x)", 1, "only functions"),
    ("(x)(x)", 1, "not a function"),
    ("(x + 1)(x)", 1, "only functions"),
    ("sin(x)(x)", 1, "only functions"),
    ("sin()", 1, "1 argument, not 0"),
    ("sin(x, x)", 1, "1 argument, not 2"),
    ("x + round(x, 2)", 5, "1 argument, not 2"),
    ("arctan2(x)", 1, "2 arguments, not 1"),
    ("where(x, x)", 1, "3 arguments, not 2"),
    ("min(x)", 1, "2 or more arguments, not 1"),
    ("max()", 1, "2 or more"),
    ("float()", 1, "1 argument"),
    ("x << 64", 6, "0 to 63"),
    ("x >> -1", 6, "0 to 63"),
    ("x << 1.5", 6, "0 to 63"),
    ("x << (32 + 32)", 7, "0 to 63"),
    ("x << 9**9**9", 6, "0 to 63"),
    ("(x", 1, "never closed"),
    ("x * (1 + (x)", 5, "never closed"),
    ("x)", 2, "never opened"),
    ("x) + (x", 2, "never opened"),
    ("x +", 4, "too early"),
    ("  x + * 2", 7, "cannot be read"),
    ("x x", 3, "cannot be read"),
    ("x <> 1", 3, "cannot be read"),
    ("1 if x", 1, "no 'else'"),
    ("if x", 1, "cannot be read"),
    ("x or", 5, "too early"),
    ("not", 4, "too early"),
    ("(" * 33 + "x" + ")" * 33, 33, "32 levels"),
    ("(" * 200, 33, "32 levels"),
    ("abs(" * 100 + "x" + ")" * 100, 132, "32 levels"),
    ("-" * 500 + "x", 33, "32 levels"),
    ("~" * 32 + "x", 33, "32 levels"),
    ("x" + " + x" * 40, 1, "32 levels"),
    ("x" + "**x" * 150, 94, "32 levels"),
    ("x" + " if x else x" * 40, 378, "32 levels"),
    ("x" + "<x" * 200, None, "256 parts"),
    ("max(" + ",".join("x" * 246) + ",-x,-x,-x,-x,~x)", None, "256 parts"),
    ("x" * 513, 513, "512 are allowed"),
    (" " * 600 + "x", 513, "512 are allowed"),
    ("q" * 400, 1, "not known"),
]


@pytest.mark.parametrize(("text", "column", "message"), HOSTILE, ids=[repr(text[:40]) for text, _, _ in HOSTILE])
def test_the_culprit_is_named_with_its_column(text: str, column: int | None, message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(EquationError) as refused:
            Equation(text, ["x", "ambient"])
    assert re.search(message, refused.value.message), refused.value.message
    if column is not None:
        assert refused.value.column == column
    assert len(refused.value.message) < 400


@pytest.mark.parametrize("text", [None, 5, b"x", ["x"], True])
def test_what_is_no_text_is_no_equation(text: object) -> None:
    with pytest.raises(EquationError, match="text, not"):
        Equation(text, ["x"])  # type: ignore[arg-type]


def test_a_point_cannot_take_the_place_of_a_function_or_constant() -> None:
    assert Equation("abs(x) + pi", ["x", "abs", "pi"]).names == {"x"}


def test_limits_are_what_the_language_says() -> None:
    assert Equation("(" * 31 + "x" + ")" * 31).value(x=1.0) == 1
    assert Equation("+".join(["x"] * 32)).value(x=1.0) == 32
    assert Equation("-" * 31 + "x").value(x=1.0) == -1
    assert Equation("max(" + ",".join("x" * 250) + ")").value(x=1.0) == 1
    assert Equation("x" + " " * 511).value(x=1.0) == 1


def test_a_misspelt_name_among_thousands_is_answered_at_once() -> None:
    names = {f"{'e' * 57}{number}" for number in range(3000)}
    took = []
    for _ in range(3):
        start = time.thread_time()  # what it costs, whatever else the machine does
        with pytest.raises(EquationError, match="not known"):
            Equation("e" * 60, names)
        took.append(time.thread_time() - start)
    assert min(took) <= 0.02
