"""Our drivers against a real kernel's device files; what is checked is in guest/, all in one boot."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

GUEST = Path(__file__).parent / "guest"

CHECKS = [
    f"{path.stem}::{node.name}"
    for path in sorted(GUEST.glob("guest_*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]

FAILURES = ("failure", "error", "skipped")


@pytest.fixture(scope="module")
def results(guest: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What befell each check in the guest: its failure's text, or "" if it passed."""
    report = tmp_path_factory.mktemp("guest") / "report.xml"
    files = [str(path) for path in sorted(GUEST.glob("guest_*.py"))]
    done = guest.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--junitxml={report}", *files)
    if not report.exists():
        pytest.fail(f"the guest gave no report (exit status {done.returncode}):\n{done.stdout}")
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        # One check with several parameters passes if it does with each.
        check = f"{case.get('classname', '').rsplit('.', 1)[-1]}::{case.get('name', '').split('[')[0]}"
        failures = [child.text or str(child.get("message")) for child in case if child.tag in FAILURES]
        found[check] = "\n".join([*filter(None, [found.get(check)]), *failures])
    return found


@pytest.mark.parametrize("check", CHECKS)
def test_on_a_real_kernel(check: str, results: dict[str, str]) -> None:
    assert check in results, f"it did not run; these did: {sorted(results)}"
    assert not results[check], results[check]
