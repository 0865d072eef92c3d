"""What an output becomes without being asked, as raws."""

from piio_agent.outputs.messages import Policies


def raw_at_start(policies: Policies, last: float | None) -> float:
    """Return the first raw of an output; `last` is what it was, where that is known and young."""
    if policies.on_start == "last":
        return 0.0 if last is None else last
    return _raw(policies.on_start)


def raw_when_lost(policies: Policies) -> float | None:
    """Return the raw of an output whose bridge is gone; None: it stays as it is."""
    return None if policies.on_lost == "hold" else _raw(policies.on_lost)


def raw_when_released(policies: Policies) -> float | None:
    """Return the raw of an output that is let go; None: it stays as it is, which nobody could answer for in a group."""
    return 0.0 if policies.interlock else raw_when_lost(policies)


def _raw(word: str | float) -> float:
    if isinstance(word, str):
        return 1.0 if word == "on" else 0.0
    return float(word)
