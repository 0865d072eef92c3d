"""The driver rpigpio on a real kernel, with rpi-lgpio in a folder of its own: RPi.GPIO has the same name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hardware.checks import Befallen, checks_in, judge, run_checks

GUEST = Path(__file__).parent / "guest" / "rpi"
ROOT = Path(__file__).parents[2]
THIS = Path(__file__).relative_to(ROOT)
LOCK = ROOT / "requirements" / "rpi.lock"
INSTALLED = Path(sys.prefix) / "rpi"


@pytest.fixture(scope="module")
def rpi_lgpio() -> Path:
    """The folder that has rpi-lgpio as its lock says; `./piio test` installs it."""
    installed = INSTALLED / LOCK.name
    if not installed.is_file() or installed.read_bytes() != LOCK.read_bytes():
        pytest.fail(f"{INSTALLED} lacks what {LOCK.name} names. Type: ./piio test {THIS}", pytrace=False)
    return INSTALLED


@pytest.fixture(scope="module")
def results(guest: Any, rpi_lgpio: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Befallen]:
    """What befell each check in the guest."""
    environment = {"PYTHONPATH": str(rpi_lgpio), "RPI_LGPIO_REVISION": "c03111"}
    return run_checks(guest, GUEST, tmp_path_factory.mktemp("rpi") / "report.xml", environment=environment)


@pytest.mark.parametrize("check", checks_in(GUEST))
def test_rpigpio_on_a_real_kernel(
    check: str, results: dict[str, Befallen], record_property: Callable[[str, object], None]
) -> None:
    judge(check, results, record_property)
