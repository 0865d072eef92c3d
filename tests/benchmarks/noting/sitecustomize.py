"""For the processes of a measured agent: notes when the kernel's simulator shows a level that was just driven.

PIIO_NOTE: the chip's line, the simulator's file with its level, and a file for the note: its time (monotonic, ns, 8
bytes) and the level (1 byte). Nobody can wait for a simulated output from outside, and looking at it all the time
would take from the only processor what is measured. So who drives it looks once: two calls of the kernel's.
"""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any


def _note() -> None:
    import gpiod

    line, level, file = os.environ["PIIO_NOTE"].split(":")
    offset, drive = int(line), gpiod.LineRequest.set_values
    with Path(file).open("r+b") as opened:
        note = mmap.mmap(opened.fileno(), struct.calcsize("<QB"))
    shown = os.open(level, os.O_RDONLY)

    def set_values(request: gpiod.LineRequest, values: Any) -> None:
        drive(request, values)
        if offset in values:
            seen = os.pread(shown, 2, 0)
            struct.pack_into("<QB", note, 0, time.monotonic_ns(), seen == b"1\n")

    gpiod.LineRequest.set_values = set_values  # type: ignore[method-assign]


_note()
