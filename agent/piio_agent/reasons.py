"""What is said of a driver that failed: its own sentence, or that it made a mistake."""

from piio_agent.interfaces.errors import InterfaceError


def reason(error: Exception) -> str:
    """Return the sentence that people read about a driver's failure."""
    if isinstance(error, InterfaceError):
        return str(error)
    return f"a mistake in the driver: {type(error).__name__}: {error}"
