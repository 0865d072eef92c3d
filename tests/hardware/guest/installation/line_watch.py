"""Who takes lines, changes them and lets go of them, as the kernel tells it, without a gap; for the guest only."""

from __future__ import annotations

import threading

import gpiod

from tests.hardware.guest.sim_chip import SimChip

WORDS = {
    gpiod.InfoEvent.Type.LINE_REQUESTED: "taken",
    gpiod.InfoEvent.Type.LINE_RELEASED: "let go",
    gpiod.InfoEvent.Type.LINE_CONFIG_CHANGED: "changed",
}


class LineWatch:
    """Keeps what befell each line of a chip, in order: `let go`, `taken: output`, `changed: input`."""

    def __init__(self, chip: SimChip) -> None:
        self.befell: dict[int, list[str]] = {}
        self._chip = gpiod.Chip(f"/dev/{chip.name}")
        for line in range(self._chip.get_info().num_lines):
            self._chip.watch_line_info(line)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> LineWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._read()
        self._chip.close()

    def _watch(self) -> None:
        while not self._over.is_set():
            if self._chip.wait_info_event(0.05):
                self._read()

    def _read(self) -> None:
        while self._chip.wait_info_event(0):
            event = self._chip.read_info_event()
            info, what = event.line_info, WORDS[event.event_type]
            if what != "let go":
                what += f": {info.direction.name.lower()}"
            self.befell.setdefault(info.offset, []).append(what)
