"""What is wrong with an equation, in words for the person who wrote it."""

from collections.abc import Sequence


class EquationError(ValueError):
    """An equation was refused; `message` names the culprit and the remedy.

    `column` is the 1-based column of the culprit in the text, `None` where the whole is meant.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        self.message = message
        self.column = column
        super().__init__(message if column is None else f"{message} (column {column})")


class InverseError(EquationError):
    """What was refused is not the output's equation but its inverse, or there is none."""


class CircleError(EquationError):
    """Points depend on each other in a circle; `circle` begins and ends with the same point."""

    def __init__(self, circle: Sequence[str]) -> None:
        self.circle = tuple(circle)
        super().__init__(f"points depend on each other in a circle: {' -> '.join(circle)}; take one of them out")
