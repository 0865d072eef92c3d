"""Checks that run inside the guest, in one boot, and what is heard of them outside."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_FAILURES = ("failure", "error", "skipped")
_CAPTURED = ("system-out", "system-err")


@dataclass
class Befallen:
    """What befell a check: its failures' text, empty if it passed, and what it measured."""

    failures: str = ""
    measured: dict[str, str] = field(default_factory=dict)


def files_in(folder: Path) -> list[Path]:
    """The files with checks of a folder, without those of folders in it."""
    return sorted(folder.glob("guest_*.py"))


def checks_in(folder: Path) -> list[str]:
    """The names of a folder's checks, without importing them: that is for the guest."""
    return [
        f"{path.stem}::{node.name}"
        for path in files_in(folder)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def run_checks(guest: Any, folder: Path, report: Path, **how: Any) -> dict[str, Befallen]:
    """Boot once, run all checks of a folder and return what befell each; `how` is for `guest.run`."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--junitxml={report}", "-o", "junit_logging=all"]
    done = guest.run("-m", "pytest", *options, *map(str, files_in(folder)), **how)
    if not report.exists():
        pytest.fail(f"the guest gave no report (exit status {done.returncode}):\n{done.stdout}")
    return _read(ET.parse(report).iter("testcase"))


def judge(check: str, results: Mapping[str, Befallen], note: Callable[[str, object], None]) -> None:
    """Fail as a check did in the guest; what it measured is noted and not judged: the machine is shared."""
    assert check in results, f"it did not run; these did: {sorted(results)}"
    assert not results[check].failures, results[check].failures
    for name, value in results[check].measured.items():
        print(f"{name}: {value}")  # `pytest -rP` shows it
        note(name, value)


def _read(cases: Iterable[ET.Element]) -> dict[str, Befallen]:
    found: dict[str, Befallen] = {}
    for case in cases:
        # One check with several parameters passes if it does with each.
        check = f"{case.get('classname', '').rsplit('.', 1)[-1]}::{case.get('name', '').split('[')[0]}"
        befallen = found.setdefault(check, Befallen())
        failures = [child.text or str(child.get("message")) for child in case if child.tag in _FAILURES]
        if failures:
            befallen.failures += "\n".join([*failures, *(child.text or "" for child in case if child.tag in _CAPTURED)])
        befallen.measured.update({each.get("name", ""): each.get("value", "") for each in case.iter("property")})
    return found
