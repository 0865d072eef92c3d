"""What takes seconds on a real kernel; what is checked is in guest/long/, in a boot of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hardware.checks import Befallen, checks_in, judge, run_checks

GUEST = Path(__file__).parent / "guest" / "long"

# On a busy machine more than what tests have otherwise.
TIMEOUT = 200
pytestmark = pytest.mark.timeout(TIMEOUT + 20)


@pytest.fixture(scope="module")
def results(guest: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Befallen]:
    """What befell each check in the guest."""
    return run_checks(guest, GUEST, tmp_path_factory.mktemp("guest") / "report.xml", timeout=TIMEOUT)


@pytest.mark.parametrize("check", checks_in(GUEST))
def test_a_long_run_on_a_real_kernel(
    check: str, results: dict[str, Befallen], record_property: Callable[[str, object], None]
) -> None:
    judge(check, results, record_property)
