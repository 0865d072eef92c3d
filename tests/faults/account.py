"""What a board's trace says of an ordeal: how long lines were on, which were on together, and who asked for it."""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from tests.faults.ordeal import DEAD_TIME, INTERLOCKED, LINES, MAX_ON, TTL, Asked, Stop

SLACK = 0.5
"""Seconds that a busy machine may be late with what is due by the clock."""

POINTS = {str(line): point for point, line in LINES.items()}


class Turn(Struct, frozen=True):
    """A line that became on or off; `opened` where a process took it."""

    point: str
    on: bool
    at: float
    """CLOCK_MONOTONIC in seconds."""
    opened: bool


def turns(entries: Iterable[Any]) -> Iterator[Turn]:
    """Return what became of the lines of the ordeal, in the order of the trace."""
    for entry in entries:
        point = POINTS.get(entry["channel"])
        opened = entry.get("event") == "open" and entry.get("direction") == "output"
        if point and (opened or ("event" not in entry and entry.get("by") == "output")):
            yield Turn(point, bool(entry.get("level")), entry["mono_ns"] / 1e9, opened)


def too_long_on(history: list[Turn], stops: list[Stop]) -> list[str]:
    """Return which lines were on for longer than they may be, times not counted in which their process stood still."""
    found = []
    since: dict[str, float] = {}
    for turn in history:
        begun = since.pop(turn.point, None)
        if begun is not None and not turn.opened and turn.point in MAX_ON:
            still = sum(max(0.0, min(turn.at, stop.ended) - max(begun, stop.begun)) for stop in stops)
            if turn.at - begun > MAX_ON[turn.point] + still + SLACK:
                found.append(f"{turn.point} was on for {turn.at - begun:.2f} s, of which its process stood {still:.2f}")
        if turn.on:
            since[turn.point] = begun if begun is not None and not turn.opened else turn.at
    return found


def together_on(history: list[Turn]) -> list[str]:
    """Return where two lines of the interlock were on at a time, or one too soon after another."""
    found = []
    on: dict[str, float] = {}
    off: dict[str, float] = {}
    for turn in (turn for turn in history if turn.point in INTERLOCKED):
        if turn.on:
            found += [f"{turn.point} came on at {turn.at:.3f} with {other}" for other in on if other != turn.point]
            found += [
                f"{turn.point} came on {turn.at - at:.3f} s after {other} went off"
                for other, at in off.items()
                if other != turn.point and turn.at - at < DEAD_TIME
            ]
            on[turn.point] = turn.at
        else:
            if turn.point in on:
                off[turn.point] = turn.at
            on.pop(turn.point, None)
    return found


def unasked(history: list[Turn], asked: list[Asked]) -> list[str]:
    """Return the lines that came on without anybody having asked for it a moment ago."""
    found = []
    for turn in history:
        if turn.on and not turn.opened:
            sets = [each for each in asked if each.point == turn.point and each.at <= turn.at]
            newest = max(sets, key=lambda each: each.at, default=None)
            if newest is None or turn.at - newest.at > TTL:
                found.append(f"{turn.point} came on at {turn.at:.2f}; the newest that was asked for it is {newest}")
    return found
