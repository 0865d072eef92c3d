"""What the channels of a GPIO chip are: its lines by offset and by name, and groups of lines that are one number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piio_agent.interfaces.contract import Channel
from piio_agent.interfaces.errors import ChannelUnknown, InterfaceError, OptionsError, ValueRefused
from piio_agent.interfaces.gpiod_chip import FoundChip, bindings
from piio_agent.interfaces.header import PINS

# Ids that can be part of a topic.
ID = re.compile(r"[A-Za-z0-9_-]{1,32}")

# A Pi's header has no more, and one step of the number stays far above what rounding in an equation makes of it.
MOST_LINES = 28

EXAMPLE = "groups = { port = [5, 6, 13, 19] }"

Groups = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Lines:
    """What a channel stands for: one line, or a group of them, the lowest bit first."""

    label: str
    """What errors call it."""
    offsets: tuple[int, ...]

    @property
    def high(self) -> int:
        """The largest raw; the smallest is 0, and all between are whole."""
        return (1 << len(self.offsets)) - 1

    def values(self, raw: float) -> dict[int, Any]:
        """Return the `gpiod.line.Value` of each line that makes up a raw; ValueRefused if none do."""
        if not 0 <= raw <= self.high or raw % 1:
            raise ValueRefused(self.label, raw, "0 or 1" if self.high == 1 else f"whole numbers from 0 to {self.high}")
        value = bindings().line.Value
        return {offset: value(int(raw) >> bit & 1) for bit, offset in enumerate(self.offsets)}

    def raw(self, values: Sequence[Any]) -> float:
        """Return the raw that the lines' values make up."""
        return float(sum(bool(value) << bit for bit, value in enumerate(values)))


class Channels:
    """The channels of a chip that was found; OptionsError if a group names lines that it cannot have."""

    def __init__(self, chip: FoundChip, groups: Groups) -> None:
        self.chip = chip
        self._lines = _single_lines(chip)
        self._groups = {name: self._join(name, members) for name, members in groups.items()}
        self._group_of = {offset: name for name, lines in self._groups.items() for offset in lines.offsets}
        if len(self._group_of) < sum(len(lines.offsets) for lines in self._groups.values()):
            raise OptionsError("option 'groups': a line is in two groups, or twice in one: it can be one bit only")

    def lines(self, channel: str) -> Lines:
        """Return what a channel stands for."""
        found = self._groups.get(channel) or self._lines.get(channel)
        if found is None:
            raise ChannelUnknown(channel, self.all())
        group = self._group_of.get(found.offsets[0])
        if group not in (None, channel):
            raise InterfaceError(
                f"{found.label} is in the group {group!r}: use that channel, or take it out of groups in agent.toml"
            )
        return found

    def other_ids(self, channel: str) -> list[str]:
        """Return under which ids the same line is a channel, too."""
        same = self._lines.get(channel)
        return [id for id, lines in self._lines.items() if lines is same and id != channel]

    def all(self) -> dict[str, Channel]:
        """Return every channel: groups, then lines by offset, then by name; a line in a group is none of its own."""
        groups = {name: self._group(name, lines) for name, lines in self._groups.items()}
        free = {id: lines.offsets[0] for id, lines in self._lines.items() if lines.offsets[0] not in self._group_of}
        return groups | {id: _line(self.chip, id, offset) for id, offset in free.items()}

    def _join(self, name: str, members: Sequence[str]) -> Lines:
        where = f"option 'groups': {name!r}"
        if name in self._lines:
            raise OptionsError(f"{where} is what a line of {self.chip} is called: give the group another name")
        for member in members:
            if member not in self._lines:
                known = ", ".join(self._lines)
                raise OptionsError(f"{where} has {member!r}, which {self.chip} has not; its lines are: {known}")
        return Lines(f"the group {name}", tuple(self._lines[member].offsets[0] for member in members))

    def _group(self, name: str, lines: Lines) -> Channel:
        members = ", ".join(self.chip.names[offset] or str(offset) for offset in lines.offsets)
        return Channel(f"{name}: {members}", ("input", "output"), "analog", 0, lines.high)


def read_groups(given: Any) -> Groups:
    """Return the groups that an agent's file names; OptionsError says what is wrong with them."""
    if not isinstance(given, dict):
        raise OptionsError(f"option 'groups' is {given!r}; wanted names with lines, e.g. {EXAMPLE}")
    return {name: _members(name, members) for name, members in given.items()}


def _members(name: str, members: Any) -> tuple[str, ...]:
    where = f"option 'groups': {name!r}"
    if not ID.fullmatch(name):
        raise OptionsError(f"{where} is no name of a channel; wanted 1 to 32 of A-Z a-z 0-9 _ -, e.g. {EXAMPLE}")
    if not isinstance(members, list) or not all(type(each) in (int, str) for each in members):
        raise OptionsError(f"{where} is {members!r}; wanted lines by offset or name, e.g. {EXAMPLE}")
    if not 2 <= len(members) <= MOST_LINES:
        raise OptionsError(f"{where} has {len(members)} lines; wanted 2 to {MOST_LINES}")
    return tuple(map(str, members))


def _single_lines(chip: FoundChip) -> dict[str, Lines]:
    """Every line by its offset, and by its name if that can be a channel's id and no other line has it."""
    found = {str(n): Lines(chip.line(n), (n,)) for n in range(len(chip.names))}
    times = Counter(chip.names)
    for n, name in enumerate(chip.names):
        if ID.fullmatch(name) and not name.isdigit() and times[name] == 1:
            found[name] = found[str(n)]
    return found


def _line(chip: FoundChip, id: str, offset: int) -> Channel:
    name = chip.names[offset]
    label = name or f"line {offset}"
    if id == name:
        label = f"{name}: the same line as {offset}"
    elif name == f"GPIO{offset}" and chip.label.startswith("pinctrl-") and offset in PINS:
        label = f"{name} (pin {PINS[offset]})"
    return Channel(label, ("input", "output"), "digital", edges=True)
