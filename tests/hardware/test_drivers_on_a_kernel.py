"""Our drivers against a real kernel's device files; what is checked is in guest/, all in one boot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hardware.checks import Befallen, checks_in, judge, run_checks

GUEST = Path(__file__).parent / "guest"

# It takes half a minute; on a busy machine more than what tests have otherwise.
TIMEOUT = 150
pytestmark = pytest.mark.timeout(TIMEOUT + 20)


@pytest.fixture(scope="module")
def results(guest: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Befallen]:
    """What befell each check in the guest."""
    return run_checks(guest, GUEST, tmp_path_factory.mktemp("guest") / "report.xml", timeout=TIMEOUT)


@pytest.mark.parametrize("check", checks_in(GUEST))
def test_on_a_real_kernel(
    check: str, results: dict[str, Befallen], record_property: Callable[[str, object], None]
) -> None:
    judge(check, results, record_property)
