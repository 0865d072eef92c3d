"""What docs/hardware.md says of drivers is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from piio_agent.interfaces import Context
from piio_agent.interfaces.converter import CONVERTERS
from piio_agent.interfaces.door import drivers, make

PAGE = (Path(__file__).parents[3] / "docs" / "hardware.md").read_text()


def tables() -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", tables(), ids=lambda text: text.splitlines()[0])
def test_every_interface_shown_is_one_that_the_driver_takes(text: str) -> None:
    for options in tomllib.loads(text)["interfaces"].values():
        make(options.pop("driver"), options, Context())


def test_every_driver_has_its_row() -> None:
    rows = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert {name for name in drivers() if f"`{name}`" not in rows} == set()


@pytest.mark.parametrize("model", CONVERTERS)
def test_the_clocks_in_the_table_are_those_of_the_driver(model: str) -> None:
    converter = CONVERTERS[model]
    clocks = f"{converter.speed:,} · {converter.slow:,} · {converter.fast:,}"
    assert any(f"`{model}`" in line and clocks in line for line in PAGE.splitlines())
