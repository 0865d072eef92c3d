"""What can go wrong with the broker and those it knows."""

from piio.errors import PiioError


class BrokerError(PiioError, RuntimeError):
    """The broker cannot be started or told something; the message says why and what to do."""


class IdentityError(PiioError, ValueError):
    """An identity that cannot be made, changed or removed."""
