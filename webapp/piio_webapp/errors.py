"""What can go wrong in the web app; every message names the culprit and the remedy."""

from piio.errors import PiioError


class PersonError(PiioError, ValueError):
    """A person who cannot be made, changed or found."""


class MessageQueueError(PiioError, ValueError):
    """A message queue that cannot be used as it was given."""


class ListenError(PiioError, OSError):
    """An address that cannot be listened on."""
