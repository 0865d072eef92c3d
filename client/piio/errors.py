"""What can go wrong between here and the broker; every message names the culprit and the remedy."""


class PiioError(Exception):
    """The root of the client's errors."""


class AddressError(PiioError, ValueError):
    """A broker's address that cannot be read."""


class NotConnected(PiioError, ConnectionError):  # noqa: N818  (reads as what happened)
    """There is no broker at the other end, or it refused us."""


class MessageTooLarge(PiioError, ValueError):  # noqa: N818
    """A message over the size that brokers of this contract carry."""
