"""A wall clock that a test steps while the process that reads it runs: libfaketime."""

import os
from pathlib import Path

import pytest

LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")

MENDED = Path(__file__).parent / "under_libfaketime"


class SteppedClock:
    """The wall clock of whoever is started with `environment`; monotonic clocks go on as they are."""

    def __init__(self, file: Path) -> None:
        found = [str(path) for pattern in LIBRARIES for path in Path("/").glob(pattern[1:])]
        if not found:
            pytest.skip("clocks cannot be stepped here: apt install faketime")
        self._file = file
        self.step_to(0)
        self.environment = {
            "LD_PRELOAD": found[0],
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else a thread that waits for the interpreter wakes at once, again and again: two that compute get a tenth
            # of their work done, and an output's process has stood still for two seconds.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(MENDED), os.environ.get("PYTHONPATH")))),
        }

    def step_to(self, seconds: int) -> None:
        """Let it be so many seconds ahead of the true time, or behind it."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self._file)
