"""The driver rpigpio on a real kernel, with rpi-lgpio in a folder of its own: RPi.GPIO has the same name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hardware.checks import Befallen, checks_in, run_checks

GUEST = Path(__file__).parent / "guest" / "rpi"
PACKAGES = ("rpi-lgpio==0.6", "lgpio==0.2.2.0")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def results(guest: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Befallen]:
    """What befell each check in the guest."""
    folder = tmp_path_factory.mktemp("rpi")
    command = [
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
        str(folder / "lib"),
    ]
    got = subprocess.run([sys.executable, *command, *PACKAGES], capture_output=True, text=True, check=False, timeout=60)
    if got.returncode:
        pytest.skip(f"rpi-lgpio cannot be had: {got.stderr.strip().splitlines()[-1:]}")
    environment = {"PYTHONPATH": str(folder / "lib"), "RPI_LGPIO_REVISION": "c03111"}
    return run_checks(guest, GUEST, folder / "report.xml", environment=environment)


@pytest.mark.parametrize("check", checks_in(GUEST))
def test_rpigpio_on_a_real_kernel(check: str, results: dict[str, Befallen]) -> None:
    assert check in results, f"it did not run; these did: {sorted(results)}"
    assert not results[check].failures, results[check].failures
