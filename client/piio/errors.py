"""What can go wrong between here and the broker; every message names the culprit and the remedy."""


class PiioError(Exception):
    """The root of the client's errors."""


class AddressError(PiioError, ValueError):
    """A broker's address that cannot be read."""


class NotConnected(PiioError, ConnectionError):  # noqa: N818  (reads as what happened)
    """There is no broker at the other end, or it refused us."""


class MessageTooLarge(PiioError, ValueError):  # noqa: N818
    """A message over the size that brokers of this contract carry."""


class NotKnown(PiioError, LookupError):  # noqa: N818
    """A board or a point that nobody has told of."""


class NotAllowed(PiioError, PermissionError):  # noqa: N818
    """Something that our role may not do."""


class NoAnswer(PiioError, TimeoutError):  # noqa: N818
    """The bridge did not answer, or is not there."""


class RequestFailed(PiioError, RuntimeError):  # noqa: N818
    """The bridge answered that it could not; `column` counts from 1 where an equation is to blame."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column
