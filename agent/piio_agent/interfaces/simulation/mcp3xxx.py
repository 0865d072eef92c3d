"""The MCP3xxx converters as seen from their SPI pins, bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

FULL_SCALE = 1023

# MISO is not driven before the null bit; a pull-up on it makes sloppy masking visible.
FLOATING = 1


@dataclass(frozen=True)
class Silicon:
    """What the data sheet says of one model's pins; written down apart from the driver, which it is there to check."""

    command: int
    """How many bits follow the start bit; 0: there is no start bit, chip select begins a conversion."""
    sampling: int
    """Clocks without an answer between the command, or chip select, and the null bit."""
    bits: int
    signed: bool = False
    backwards: bool = True
    """Whether it repeats the code from its second lowest bit up when it is clocked on."""


SILICON = {
    "mcp3001": Silicon(0, 2, 10),  # DS21293, figure 5-1
    "mcp3002": Silicon(3, 0, 10, backwards=False),  # DS21294, figure 5-1, most significant bit first
    "mcp3004": Silicon(4, 1, 10),  # DS21295, figure 5-1
    "mcp3008": Silicon(4, 1, 10),
    "mcp3201": Silicon(0, 2, 12),  # DS21290, figure 5-1
    "mcp3202": Silicon(3, 0, 12, backwards=False),  # DS21034, figure 5-1, most significant bit first
    "mcp3204": Silicon(4, 1, 12),  # DS21298, figure 5-1
    "mcp3208": Silicon(4, 1, 12),
    "mcp3301": Silicon(0, 2, 12, signed=True),  # DS21700, figure 5-1
    "mcp3302": Silicon(4, 1, 12, signed=True),  # DS21697, figure 5-1
    "mcp3304": Silicon(4, 1, 12, signed=True),
}


class Mcp3xxxChip:
    """Answers SPI transfers as the data sheet's figures say; `level` gives a pin's counts."""

    def __init__(self, level: Callable[[int], int], model: str = "mcp3008") -> None:
        self._level = level
        self._silicon = SILICON[model]

    def transfer(self, sent: Sequence[int]) -> list[int]:
        """The bytes on MISO while `sent` is on MOSI, from chip select down to chip select up."""
        bits = [byte >> shift & 1 for byte in sent for shift in range(7, -1, -1)]
        answer = list(self._answer(bits))
        return [sum(bit << 7 - n for n, bit in enumerate(answer[i : i + 8])) for i in range(0, len(answer), 8)]

    def _answer(self, bits: Sequence[int]) -> Iterator[int]:
        length = self._silicon.command
        start = next((n for n, bit in enumerate(bits) if bit), len(bits)) if length else -1
        command = bits[start + 1 : start + 1 + length]
        out = self._conversion(command) if len(command) == length else iter(())
        # Up to the command's last bit nothing is driven, nor while the sample is taken.
        for n in range(len(bits)):
            yield FLOATING if n <= start + length + self._silicon.sampling else next(out, 0)

    def _conversion(self, command: Sequence[int]) -> Iterator[int]:
        code, top = self._convert(command), self._silicon.bits - 1 + self._silicon.signed
        yield 0  # the null bit
        yield from (code >> n & 1 for n in range(top, -1, -1))
        if self._silicon.backwards or (self._silicon.command == 3 and not command[2]):
            yield from (code >> n & 1 for n in range(1, top + 1))

    def _convert(self, command: Sequence[int]) -> int:
        """The code; negative ones are meant as two's complement."""
        if not command:
            return self._difference(0, 1)
        # Three bits: single, odd, most significant bit first; four: single and three bits of select.
        select = command[1] if len(command) == 3 else command[1] << 2 | command[2] << 1 | command[3]
        return self._level(select) if command[0] else self._difference(select, select ^ 1)

    def _difference(self, plus: int, minus: int) -> int:
        difference = self._level(plus) - self._level(minus)
        return difference if self._silicon.signed else max(0, difference)
