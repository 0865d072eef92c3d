"""The text of an equation, checked character by character before any parser sees it."""

import keyword
import re

from piio_schemas.language import CONSTANTS, KEYWORDS, MAX_CHARACTERS, MAX_LEVELS

from .error import EquationError

TOKEN = re.compile(
    r"""(?P<number> (?: \d+\.?\d* | \.\d+ ) (?: [eE][+-]?\d+ )? ) (?P<tail> [A-Za-z0-9_.]* )
      | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
      | (?P<operator> \*\* | // | << | >> | [<>=!]= | [-+*/%<>&|^~(),] )
      | (?P<space> [ ]+ )""",
    re.VERBOSE | re.ASCII,
)

REMEDIES = {
    "=": "compare with ==",
    "!": "write not, or != to compare",
    ".": "attributes are not part of the language",
    "[": "lists and subscripts are not part of the language, use parentheses",
    "]": "lists and subscripts are not part of the language, use parentheses",
    "{": "braces are not part of the language, use parentheses",
    "}": "braces are not part of the language, use parentheses",
    "'": "text in quotes is not part of the language",
    '"': "text in quotes is not part of the language",
    "#": "comments are not part of the language",
    ":": "an equation is one expression without colons",
    ";": "an equation is one expression",
    "\\": "an equation is one line",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    "−": "write -",
    "–": "write -",
    "π": "write pi",
    "²": "write ** 2",
    "³": "write ** 3",
    "√": "write sqrt()",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
}


def check_text(text: object) -> str:
    """Return the text if each of its characters, numbers and words can be part of an equation.

    What passes is one line of ASCII with balanced parentheses, decimal numbers and no keyword of Python's
    but those of the language, so that its parser only ever meets harmless text.
    """
    if not isinstance(text, str):
        raise EquationError(f"an equation is text, not {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise EquationError(
            f"the equation is {len(text)} characters long, {MAX_CHARACTERS} are allowed", MAX_CHARACTERS + 1
        )
    if not text.strip():
        raise EquationError("the equation is empty: write for instance x * 2")
    _check_tokens(text)
    return text


def shorten(word: str) -> str:
    """Return the word as a message can carry it."""
    return word if len(word) <= 40 else word[:37] + "..."


def _check_tokens(text: str) -> None:
    opened: list[int] = []
    at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise _stranger(text[at], at + 1)
        if token["number"]:
            _check_number(token["number"], token["tail"], at + 1)
        elif token["name"]:
            _check_word(token["name"], at + 1)
        elif token["operator"]:
            _check_parenthesis(token["operator"], at + 1, opened)
        at = token.end()
    if opened:
        raise EquationError("this parenthesis is never closed: add a )", opened[-1])


def _check_number(number: str, tail: str, column: int) -> None:
    whole = shorten(number + tail)
    if tail.startswith("_"):
        raise EquationError(f"{whole!r} has digit groups: write the number without _", column)
    if tail[:1] in ("j", "J"):
        raise EquationError(f"{whole!r} is an imaginary number: results are real", column)
    if number == "0" and tail[:1].lower() in ("x", "o", "b"):
        raise EquationError(f"{whole!r} is not a decimal number: write it in decimal digits", column)
    if tail[:1].isalpha() and "." not in tail and tail[:1] not in "eE":
        raise EquationError(f"{whole!r} is no number: write {shorten(number)} * {shorten(tail)} for a product", column)
    if tail:
        raise EquationError(f"{whole!r} is no number: write for instance 0.5 or 1e-3", column)
    if number.isdigit() and len(number) > 1 and number[0] == "0":
        raise EquationError(f"{whole!r} begins with 0: leave the zeros in front out", column)


def _check_word(word: str, column: int) -> None:
    if keyword.iskeyword(word) and word not in KEYWORDS and word not in CONSTANTS:
        raise EquationError(
            f"{word!r} is not part of the language: use numbers, names, operators and functions", column
        )


def _check_parenthesis(operator: str, column: int, opened: list[int]) -> None:
    if operator == "(":
        opened.append(column)
        if len(opened) > MAX_LEVELS:
            raise EquationError(f"parentheses are nested more than {MAX_LEVELS} levels deep: simplify", column)
    elif operator == ")":
        if not opened:
            raise EquationError("this parenthesis was never opened: add a ( or take it out", column)
        opened.pop()


def _stranger(character: str, column: int) -> EquationError:
    if character in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
        return EquationError("an equation is one line: take the line break out", column)
    if not character.isprintable():
        return EquationError(f"an invisible character (U+{ord(character):04X}) is in the equation: take it out", column)
    remedy = REMEDIES.get(character, "it is not part of the language" if character.isascii() else "write in ASCII")
    return EquationError(f"{character!r} cannot be used in an equation: {remedy}", column)
