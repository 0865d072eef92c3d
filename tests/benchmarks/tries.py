"""Timed tries, and the rows of a table that they become."""

import json
import random
import secrets
from collections.abc import Callable

from piio_schemas.commands import SetResult
from piio_schemas.documents import decode
from tests.benchmarks.eye import Eye

PAUSE = 0.03
"""Seconds between two tries at least; up to twice as many, so that none keeps step with a clock."""

SHARES = (50, 95, 99)

HEAD = ("| ms | p50 | p95 | p99 |", "|---|---|---|---|")

Delays = dict[str, list[float]]
"""What was waited for, and the seconds each try took to it."""


def set_and_wait(
    eye: Eye,
    tries: int,
    board: str,
    point: str,
    channel: str,
    *,
    echoed: bool,
    done: Callable[[float, int], None] = lambda *_: None,
) -> Delays:
    """Set an output to 1 and 0 in turns and note when its raw, its value and the result are heard.

    `done` is called after each try, with its begin and the level.
    """
    delays: Delays = {"raw": [], "value": [], "result": []}
    for number in range(tries):
        eye.pause(pause())
        level = (number + 1) % 2
        begun = eye.publish(f"piio/{board}/value/{point}/set", _set(eye, level) if echoed else b"%d" % level)
        result = eye.wait(f"piio/{board}/value/{point}/result")
        assert decode(result.payload, SetResult).done, result
        delays["result"].append(result.at - begun)
        for way, topic in (("raw", f"raw/{channel}"), ("value", f"value/{point}")):
            delays[way].append(eye.wait(f"piio/{board}/{topic}", is_number(level)).at - begun)
        done(begun, level)
    return delays


def pause() -> float:
    """Seconds to wait before a try."""
    return PAUSE * random.uniform(1, 2)


def is_number(number: float) -> Callable[[bytes], bool]:
    """Return what recognizes a number in a payload."""
    return lambda payload: bool(payload) and float(payload) == number


def rows(title: str, delays: Delays) -> list[str]:
    """Return a table's rows: p50, p95 and p99 in milliseconds."""
    return [
        f"| {title} → {way} | " + " | ".join(f"{share_of(each, share) * 1000:.1f}" for share in SHARES) + " |"
        for way, each in delays.items()
    ]


def share_of(delays: list[float], share: int) -> float:
    """Return what so many of a hundred tries stayed within."""
    return sorted(delays)[max(0, -(-len(delays) * share // 100) - 1)]


def _set(eye: Eye, level: int) -> bytes:
    """A set as our own client sends it."""
    echo = eye.echo()
    beacon = {"boot": echo.boot, "connection": echo.connection, "tick": echo.tick}
    return json.dumps({"value": level, "id": secrets.token_hex(8), "ttl": 2.0, "by": "anna", "beacon": beacon}).encode()
