"""What docs/hardware.md says of counting is so."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from piio_agent.counting.settings import CountingSettings
from piio_schemas.counting import MEASURES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "hardware.md").read_text()
CHAPTER = re.split(r"^## ", PAGE.split("\n## Counting")[1], flags=re.MULTILINE)[0]


def rows() -> list[str]:
    return re.findall(r"^\| `([a-z0-9-]+)` \|", CHAPTER, re.MULTILINE)


def test_every_measure_and_every_setting_has_its_row() -> None:
    settings = [each.name for each in dataclasses.fields(CountingSettings)]
    assert rows() == [*(f"17-{measure}" for measure in MEASURES), *settings]


def test_the_tests_that_show_it_are_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", CHAPTER)
    assert named and [path for path in named if not (ROOT / path).exists()] == []
