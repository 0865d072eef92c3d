"""The MCP3008 as seen from its SPI pins, bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

FULL_SCALE = 1023

# MISO is not driven before the null bit; a pull-up on it makes sloppy masking visible.
FLOATING = 1


class Mcp3008Chip:
    """Answers SPI transfers as figures 5-1 and 5-2 of the data sheet say (DS21295); `level` gives a pin's counts."""

    def __init__(self, level: Callable[[int], int]) -> None:
        self._level = level

    def transfer(self, sent: Sequence[int]) -> list[int]:
        """The bytes on MISO while `sent` is on MOSI, from chip select down to chip select up."""
        bits = [byte >> shift & 1 for byte in sent for shift in range(7, -1, -1)]
        answer = list(self._answer(bits))
        return [sum(bit << 7 - n for n, bit in enumerate(answer[i : i + 8])) for i in range(0, len(answer), 8)]

    def _answer(self, bits: Sequence[int]) -> Iterator[int]:
        start = next((n for n, bit in enumerate(bits) if bit), len(bits))
        command = bits[start + 1 : start + 5]
        out = self._conversion(command) if len(command) == 4 else iter(())
        # Up to D0 nothing is driven, nor while the sample is taken, in the clock after D0.
        for n in range(len(bits)):
            yield FLOATING if n <= start + 5 else next(out, 0)

    def _conversion(self, command: Sequence[int]) -> Iterator[int]:
        single, d2, d1, d0 = command
        code = self._convert(single, d2 << 2 | d1 << 1 | d0)
        yield 0  # the null bit
        yield from (code >> n & 1 for n in range(9, -1, -1))
        # Clocked further, it repeats the code from its second lowest bit up, then zeros.
        yield from (code >> n & 1 for n in range(1, 10))

    def _convert(self, single: int, select: int) -> int:
        if single:
            return self._level(select)
        # Differential (table 5-2): channel 2k is IN(2k) - IN(2k+1), channel 2k+1 the reverse; never below 0.
        return max(0, self._level(select) - self._level(select ^ 1))
