"""The MCP3xxx family of analog-to-digital converters: what each has, what to send it and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from piio_agent.interfaces.contract import Channel

DEFAULT_SPEED = 1_000_000


@dataclass(frozen=True)
class Converter:
    """One model."""

    inputs: int
    """How many pins it measures; 1: only the difference of IN+ and IN-, and there is nothing to choose."""
    bits: int
    """How many bits of magnitude an answer has."""
    signed: bool
    """Whether a sign goes before them, so that differences may be negative."""
    slow: int
    """The fastest clock that the data sheet promises at 2.7 V, in Hz."""
    fast: int
    """The fastest clock at 5 V, in Hz."""
    channels: Mapping[str, Channel] = field(init=False, compare=False)
    """What it can measure: `3` is an input against ground, `2-3` input 2 minus input 3."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", dict(self._channels()))

    @property
    def speed(self) -> int:
        """The clock in Hz when nobody says another: right at every voltage."""
        return min(DEFAULT_SPEED, self.slow)

    def frame(self, channel: str) -> list[int]:
        """The bytes that ask for a channel, made so that the answer's last bit is the last bit of the last byte.

        That is figure 6-1 of the data sheets DS21294 (3002), DS21295 (3004, 3008), DS21034 (3202), DS21298 (3204, 3208)
        and DS21697 (3302, 3304); those of one input take no command, and begin with two clocks that mean nothing.
        """
        if self.inputs == 1:
            return [0, 0]
        single, select = "-" not in channel, int(channel.split("-")[0])
        if self.inputs == 2:
            # Start, single, odd, most significant bit first; then a null bit.
            command, after = 0b1001 | single << 2 | select << 1, 1
        else:
            # Start, single, three bits of select; then a clock to sample in and a null bit.
            command, after = 0b10000 | single << 3 | select, 2
        size = 2 if self.inputs == 2 and self.bits == 10 else 3
        return list((command << self._answer + after).to_bytes(size, "big"))

    def counts(self, reply: Sequence[int]) -> int:
        """The value in the answer to `frame`; what comes before it is not defined."""
        # Those of one input answer from the fourth clock on, and then repeat themselves.
        spare = 16 - 3 - self._answer if self.inputs == 1 else 0
        code = int.from_bytes(bytes(reply), "big") >> spare & (1 << self._answer) - 1
        return code - (1 << self._answer) if self.signed and code >> self.bits else code

    @property
    def _answer(self) -> int:
        return self.bits + self.signed

    def _channels(self) -> Mapping[str, Channel]:
        top = (1 << self.bits) - 1
        lowest = -top - 1 if self.signed else 0
        if self.inputs == 1:
            return {"0": Channel("ADC (IN+ minus IN-)", ("input",), "analog", low=lowest, high=top)}
        single = {str(n): Channel(f"ADC {n}", ("input",), "analog", low=0, high=top) for n in range(self.inputs)}
        pairs = {
            f"{n}-{n ^ 1}": Channel(f"ADC {n} minus {n ^ 1}", ("input",), "analog", low=lowest, high=top)
            for n in range(self.inputs)
        }
        return single | pairs


CONVERTERS: Mapping[str, Converter] = {
    "mcp3001": Converter(1, 10, False, 1_050_000, 2_800_000),
    "mcp3002": Converter(2, 10, False, 1_200_000, 3_200_000),
    "mcp3004": Converter(4, 10, False, 1_350_000, 3_600_000),
    "mcp3008": Converter(8, 10, False, 1_350_000, 3_600_000),
    "mcp3201": Converter(1, 12, False, 800_000, 1_600_000),
    "mcp3202": Converter(2, 12, False, 900_000, 1_800_000),
    "mcp3204": Converter(4, 12, False, 1_000_000, 2_000_000),
    "mcp3208": Converter(8, 12, False, 1_000_000, 2_000_000),
    "mcp3301": Converter(1, 12, True, 850_000, 1_700_000),
    "mcp3302": Converter(4, 12, True, 1_050_000, 2_100_000),
    "mcp3304": Converter(8, 12, True, 1_050_000, 2_100_000),
}
"""The models by the name of their driver; clocks are those of the data sheets' timing tables."""
