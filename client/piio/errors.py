"""What can go wrong between here and the broker; every message names the culprit and the remedy."""


class PiioError(Exception):
    """The root of the client's errors."""


class AddressError(PiioError, ValueError):
    """A broker's address that cannot be read."""


class NotConnected(PiioError, ConnectionError):
    """There is no broker at the other end, or it refused us."""


class MessageTooLarge(PiioError, ValueError):
    """A message over the size that brokers of this contract carry."""


class NotKnown(PiioError, LookupError):
    """A board or a point that nobody has told of."""


class NotAllowed(PiioError, PermissionError):
    """Something that our role may not do."""


class NoAnswer(PiioError, TimeoutError):
    """The bridge did not answer, or is not there."""


class RequestFailed(PiioError, RuntimeError):
    """The bridge answered that it could not; `column` counts from 1 where an equation is to blame."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column
