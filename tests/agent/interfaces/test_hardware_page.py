"""What docs/hardware.md says of drivers and boards is so."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from piio_agent.interfaces import Context, gpiod_chip, pwm_chip
from piio_agent.interfaces.converter import CONVERTERS
from piio_agent.interfaces.door import drivers, make

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "hardware.md").read_text()


def tables() -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(head: str) -> list[list[str]]:
    """The cells of the table with this heading."""
    lines = PAGE[PAGE.index(f"| {head} |") :].splitlines()
    end = next(n for n, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:end]]


def quoted(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def row_of(driver: str) -> list[str]:
    return next((row for row in rows("driver") if driver in quoted(row[0])), [])


@pytest.mark.parametrize("text", tables(), ids=lambda text: text.splitlines()[0])
def test_every_interface_shown_is_one_that_the_driver_takes(text: str) -> None:
    for options in tomllib.loads(text)["interfaces"].values():
        make(options.pop("driver"), options, Context())


@pytest.mark.parametrize("driver", drivers())
def test_every_driver_has_its_row_and_tests_that_are_there(driver: str) -> None:
    row = row_of(driver)
    assert row, f"{driver} is missing in the table"
    tests = [ROOT / path for path in quoted(row[-1]) if path.startswith("tests/")]
    assert tests, "the table does not say which test shows it"
    assert [path for path in tests if not path.is_file()] == []
    assert any(re.search(rf"\b{driver}\b|CONVERTERS", path.read_text()) for path in tests), "they are about another"


@pytest.mark.parametrize("driver", drivers())
def test_whatever_an_interface_and_its_points_may_say_is_told(driver: str) -> None:
    cls = drivers()[driver]
    fields = [each.name for each in (*dataclasses.fields(cls.Options), *dataclasses.fields(cls.Settings))]
    shown = "\n".join(tables())
    assert [name for name in fields if f"`{name}" not in PAGE and f"\n{name} = " not in shown] == []


@pytest.mark.parametrize("model", CONVERTERS)
def test_the_clocks_in_the_table_are_those_of_the_driver(model: str) -> None:
    converter = CONVERTERS[model]
    clocks = f"{converter.speed:,} · {converter.slow:,} · {converter.fast:,}"
    assert any(f"`{model}`" in line and clocks in line for line in PAGE.splitlines())


def test_the_header_of_each_raspberry_pi_is_what_is_taken_where_no_chip_is_named() -> None:
    boards = [row for row in rows("board") if "Raspberry Pi" in row[0]]
    assert set.union(*(quoted(row[1]) for row in boards)) == set(gpiod_chip.PREFERRED)
    assert set.union(*(quoted(row[2]) for row in boards)) == set(pwm_chip.PREFERRED)
