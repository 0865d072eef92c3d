"""Inside the guest: measures a board on the kernel's devices; the last line it prints is a JSON document.

`python -m tests.benchmarks.board_in_the_guest TRIES`
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import piio
from piio.address import Address
from tests.benchmarks.eye import Eye
from tests.benchmarks.tries import Delays, is_number, pause, set_and_wait
from tests.hardware.guest.installation.bench import BOARD, ON_THE_OTHER_INTERFACES, PORT, Bench
from tests.hardware.guest.sim_chip import SimChip

NOTING = Path(__file__).parent / "noting"

OUTPUT, INPUT = 17, 6

NEVER = 86400
"""Seconds; an input with this period shows by its edges alone that it changed."""

POINTS: dict[str, Any] = {
    "pump": {"interface": "gpio", "channel": str(OUTPUT), "direction": "output"},
    "door": {"interface": "gpio", "channel": str(INPUT), "period": NEVER, "idle_period": NEVER},
    "tank": {"interface": "adc", "channel": "3", "equation": "(float(x) / 1023) * 100", "unit": "%"},
    **ON_THE_OTHER_INTERFACES,
}


class Note:
    """When the output's level was seen changed, written by the process that drives it (see noting/)."""

    def __init__(self, chip: SimChip, folder: Path) -> None:
        file = folder / "note"
        file.write_bytes(bytes(struct.calcsize("<QB")))
        with file.open("r+b") as opened:
            self._note = mmap.mmap(opened.fileno(), 0)
        level = chip.sysfs / f"sim_gpio{OUTPUT}" / "value"
        self.environment = {
            "PYTHONPATH": os.pathsep.join([str(NOTING), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep),
            "PIIO_NOTE": f"{OUTPUT}:{level}:{file}",
        }

    def read(self) -> tuple[float, int]:
        """The time (monotonic, s) and the level."""
        t_ns, level = struct.unpack_from("<QB", self._note)
        return t_ns / 1e9, level


def main(tries: int) -> None:
    """Start everything, measure, print."""
    assert os.uname().nodename == "hwlab", "this runs in the guest only"
    chip = SimChip("pinctrl-bcm2711")
    # Memory of the guest's: a note must cost no way through the host's files.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        note = Note(chip, Path(folder))
        bench = Bench(chip, Path(folder), note.environment)
        try:
            _configure(bench)
            found = _measure(bench, note, tries)
        finally:
            print(bench.log("agent")[-3000:], bench.log("bridge")[-3000:])
            bench.stop()
    print(json.dumps(found))


def _configure(bench: Bench) -> None:
    bench.ear.wait_until_online()
    with piio.connect(f"mqtt://anna@127.0.0.1:{PORT}") as admin:
        assert admin.configure(BOARD, {"points": POINTS}).ok
        for point in POINTS:
            bench.ear.wait_for(f"quality/{point}", "good")
    bench.ear.close()


def _measure(bench: Bench, note: Note, tries: int) -> dict[str, Any]:
    client = {"it returns": [*_client_sets(tries)]}
    eye = Eye(Address("127.0.0.1", PORT, "eye"), *(f"piio/{BOARD}/{each}/#" for each in ("raw", "value")))
    # There is one processor: who measures hears at once what it would hear at once on a machine of its own.
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    eye.pause(1.0)
    delays = {
        "plain set": _set(eye, note, tries, echoed=False),
        "echoed set": _set(eye, note, tries, echoed=True),
        "client.set()": client,
        "pull": {"value": [_pull(eye, bench.chip, number % 2) for number in range(1, tries + 1)]},
    }
    eye.close()
    return {"delays": delays, "memory": bench.memory(), "note": _cost_of_a_note(bench.chip)}


def _set(eye: Eye, note: Note, tries: int, *, echoed: bool) -> Delays:
    line: list[float] = []

    def look(begun: float, level: int) -> None:
        at, seen = note.read()
        assert seen == level and at > begun, f"the line is {seen}, driven {begun - at:.3f} s before the set"
        line.append(at - begun)

    return {"line": line, **set_and_wait(eye, tries, BOARD, "pump", f"gpio/{OUTPUT}", echoed=echoed, done=look)}


def _client_sets(tries: int) -> Iterator[float]:
    with piio.connect(f"mqtt://otto@127.0.0.1:{PORT}") as client:
        client.hear_bridge()
        for number in range(tries):
            time.sleep(pause())
            begun = time.monotonic()
            assert client.set(f"{BOARD}/pump", (number + 1) % 2).done
            yield time.monotonic() - begun


def _pull(eye: Eye, chip: SimChip, level: int) -> float:
    eye.pause(pause())
    begun = time.monotonic()
    chip.pull(INPUT, level)
    return eye.wait(f"piio/{BOARD}/value/door", is_number(level)).at - begun


def _cost_of_a_note(chip: SimChip) -> float:
    """Seconds that looking once takes whoever drives the line."""
    shown, rounds = os.open(chip.sysfs / f"sim_gpio{OUTPUT}" / "value", os.O_RDONLY), 1000
    begun = time.monotonic()
    for _ in range(rounds):
        os.pread(shown, 2, 0)
        time.monotonic_ns()
    os.close(shown)
    return (time.monotonic() - begun) / rounds


if __name__ == "__main__":
    main(int(sys.argv[1]))
