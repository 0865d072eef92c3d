"""The root of the bridge's errors."""

from piio.errors import PiioError


class BridgeError(PiioError):
    """What the bridge cannot or will not do; the message is for people."""
