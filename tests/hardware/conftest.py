"""A real Linux kernel with real device files, booted as an ordinary process, for tests of drivers."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hardware.lab import kernel

ROOT = Path(__file__).parents[2]

# Before any test's own limit (60 s), so that a guest that hangs is reported as such.
TIMEOUT = 50


@dataclass(frozen=True)
class Guest:
    """Boots (about a second) for every `run`; sees this machine's files, has a loopback network of its own."""

    kernel: Path

    def run(
        self, script: Path | str, *arguments: str, timeout: int = TIMEOUT, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python script, or with `-m` a module, with this environment's Python in the guest, in the root folder.

        The answer has its exit status (125: the guest itself died) and its output, errors included.
        """
        variables = {"PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
        command = ["env", *(f"{name}={value}" for name, value in variables.items()), sys.executable, str(script)]
        return subprocess.run(
            [str(kernel.LAB / "run"), *command, *arguments],
            cwd=ROOT,
            env={**os.environ, "PIIO_HWLAB": str(self.kernel), "PIIO_GUEST_TIMEOUT": str(timeout)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout + 10,
            check=False,
        )


@pytest.fixture(scope="session")
def guest() -> Guest:
    """The guest, where this machine could boot one; without a kernel every test of it fails, with what to type."""
    try:
        return Guest(kernel.find())
    except kernel.NotThisMachine as reason:
        raise pytest.skip.Exception(str(reason)) from None
    except kernel.NoKernel as reason:
        raise pytest.fail.Exception(str(reason), pytrace=False) from None
