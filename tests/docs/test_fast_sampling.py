"""What docs/hardware.md shows of fast sampling is what happens: its example is run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import piio
from piio_agent.interfaces import Context
from piio_agent.interfaces.door import make
from piio_agent.sampling import edges, stream
from piio_schemas.blocks import HEADER
from tests.conftest import RunningInstallation

PAGE = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text()
CHAPTER = PAGE[PAGE.index("## Fast sampling") :]
LEVEL = {"interface": "adc", "channel": "0", "equation": "(float(x) / 1023) * 100", "sample_rate": 200}


@pytest.fixture
def level(installation: RunningInstallation) -> Iterator[None]:
    """The point of the example, on the board that runs."""
    with piio.connect(installation.env["PIIO_ADMIN_URL"]) as client:
        assert client.configure("demo", {"points": {"level": LEVEL}}).ok
        yield
        assert client.configure("demo", {"points": {"level": None}}).ok


def test_the_example_prints_what_a_block_of_values_has(installation: RunningInstallation, level: None) -> None:
    example = re.search(r"```python\n(.*?)```", CHAPTER, re.DOTALL)
    assert example
    environment = os.environ | {"PIIO_URL": installation.env["PIIO_URL"]}
    done = subprocess.run(
        [sys.executable, "-c", example[1]], env=environment, capture_output=True, text=True, timeout=40, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = re.match(  # a second block may come while the first is printed
        r"(\d+) values up to ([\d.]+), \d+ lost before them\nthe first at (\d+\.\d{6}), then one every 5 ms\n",
        done.stdout,
    )
    assert printed, done.stdout
    assert 1 <= int(printed[1]) <= 40 and 0 <= float(printed[2]) <= 100


def test_the_header_is_laid_out_as_told() -> None:
    rows = re.findall(r"^\| (\d+)(?: to (\d+))? \|", CHAPTER, re.MULTILINE)
    sizes = [int(last or first) - int(first) + 1 for first, last in rows]
    widths = {"2s": 2, "B": 1, "Q": 8, "I": 4, "H": 2}
    assert sizes == [widths[code] for code in re.findall(r"2s|[BQIH]", HEADER.format)]


def test_what_can_be_had_is_what_the_drivers_say() -> None:
    def fastest(driver: str, **options: object) -> str:
        return f"{make(driver, options, Context()).fastest():,.0f}"

    for told in (fastest("mcp3008"), fastest("mcp3008", settle=False), fastest("simulated", part="adc")):
        assert told in CHAPTER
    assert f"more than {stream.MOST_BLOCKS} blocks" in CHAPTER
    assert f"at most {edges.MANY} within" in CHAPTER and f"no more than {edges.FEW}." in CHAPTER
