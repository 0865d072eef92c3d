"""A real Linux kernel with real device files, booted as an ordinary process, for tests of drivers."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Before any test's own limit (60 s), so that a guest that hangs is reported as such.
TIMEOUT = 50


@dataclass(frozen=True)
class Guest:
    """Boots (about a second) for every `run`; sees this machine's files, has a loopback network of its own."""

    lab: Path

    def run(
        self, script: Path | str, *arguments: str, timeout: int = TIMEOUT, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python script, or with `-m` a module, with this environment's Python in the guest, in the root folder.

        The answer has its exit status (125: the guest itself died) and its output, errors included.
        """
        variables = {"PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
        command = ["env", *(f"{name}={value}" for name, value in variables.items()), sys.executable, str(script)]
        return subprocess.run(
            [str(self.lab / "run"), *command, *arguments],
            cwd=ROOT,
            env={**os.environ, "HWLAB_TIMEOUT": str(timeout)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout + 10,
            check=False,
        )


@pytest.fixture(scope="session")
def guest() -> Guest:
    """The kernel to boot, found by PIIO_HWLAB or beside the repository."""
    lab = Path(os.environ.get("PIIO_HWLAB") or ROOT.parent / "shared" / "hwlab")
    if not (lab / "run").is_file():
        pytest.skip(f"no kernel to boot: {lab / 'run'} is not there (PIIO_HWLAB says where it is)")
    if platform.machine() != "x86_64":
        pytest.skip(f"the kernel to boot is for x86-64, this machine is {platform.machine()}")
    return Guest(lab)
