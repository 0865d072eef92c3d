"""How a line is driven where it is safe, and let go, whatever stands against it."""

import logging

from piio_agent.interfaces.errors import ValueRefused
from piio_agent.outputs.forbidden import Forbidden
from piio_agent.outputs.line import Line
from piio_agent.outputs.policies import raw_when_released
from piio_agent.reasons import reason

log = logging.getLogger(__name__)


def drive_safe(line: Line, raw: float, now: float) -> None:
    """Drive a line to what its policies say, or off where that cannot or must not be: never leave it as it is."""
    try:
        line.drive(raw, now)
    except Forbidden as error:
        keep_off(line, error)
        line.drive(0.0, now)
    except ValueRefused as error:
        log.error("%s: %s: it is switched off instead", line.channel, reason(error))
        line.drive(0.0, now)


def keep_off(line: Line, error: Forbidden) -> None:
    """It was to be on by itself, and an interlock is against it: it stays off until a new order, as in a fail-safe."""
    line.settle(0.0, f"{line.fail_safe}; {error}" if line.fail_safe else str(error))
    log.warning("%s stays off: %s", line.channel, line.fail_safe)


def let_go(line: Line, now: float) -> None:
    """Nobody looks after a line that is let go: it is left as if the bridge were lost, or off in an interlock."""
    raw = _last_raw(line)
    try:
        if line.taken and raw is not None:
            drive_safe(line, raw, now)
    except Exception as error:
        log.warning("%s cannot be driven safe: %s", line.channel, reason(error))
    try:
        line.close()
    except Exception as error:
        log.warning("%s cannot be closed: %s", line.channel, reason(error))


def _last_raw(line: Line) -> float | None:
    """What it is to be driven to before it is let go; None: it is left as it is."""
    raw = raw_when_released(line.policies)
    if line.held:
        return None if raw == line.wanted else raw
    # What has failed may be anything, on as well: one that holds goes off if it had to be.
    return line.wanted if raw is None and line.wanted == 0 else raw
