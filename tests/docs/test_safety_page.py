"""No promise of docs/safety.md is without a test that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| what fails"))
]


def test_there_are_promises() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_every_promise_says_what_within_how_long_and_names_a_test_that_is_there(row: list[str]) -> None:
    fails, does, within, shown = row
    assert fails and does and within
    named = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
    assert named, f"'{shown}' names no test"
    assert re.search(rf"^def {named[2]}\(", (ROOT / named[1]).read_text(), re.M), f"there is no {named[1]}::{named[2]}"
