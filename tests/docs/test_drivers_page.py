"""What docs/drivers.md shows is the file that is tested, and what it says of the contract is whole."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

from piio_agent.interfaces import Channel, Context, Edge, Interface, errors
from piio_agent.interfaces.door import drivers, make, settings_of, settings_schema
from piio_agent.interfaces.errors import InterfaceError, OptionsError, SettingsError

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples" / "drivers"
PAGE = (DOCS / "drivers.md").read_text()


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", PAGE, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


def spoken_of() -> set[str]:
    """The words that the page has in code, its examples left out."""
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    return set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))


@pytest.mark.parametrize("name", ["lm75.py", "pyproject.toml"])
def test_a_file_on_the_page_is_the_file_that_is_tested(name: str) -> None:
    heading = f"# docs/examples/drivers/{name}\n"
    shown = [text for text in blocks(r"\w+") if text.startswith(heading)]
    assert shown == [heading + (EXAMPLES / name).read_text()]


def test_every_interface_shown_is_one_that_its_driver_takes() -> None:
    tables = [tomllib.loads(text) for text in blocks("toml")]
    interfaces = [options for table in tables for options in table.get("interfaces", {}).values()]
    assert interfaces
    for options in interfaces:
        make(options.pop("driver"), options, Context(), drivers([EXAMPLES]))


@pytest.mark.parametrize("cls", [Interface, Channel, Edge, Context])
def test_the_whole_contract_is_told(cls: type[Any]) -> None:
    names = {name for name in {**vars(cls), **inspect.get_annotations(cls)} if not name.startswith("_")}
    if dataclasses.is_dataclass(cls):
        names = {each.name for each in dataclasses.fields(cls)}
    assert names - spoken_of() == set()


def test_every_error_is_told() -> None:
    names = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, OSError)}
    assert names - spoken_of() == set()


def test_the_example_has_a_form_and_refuses_what_is_out_of_range() -> None:
    lm75 = make("lm75", {}, Context(), drivers([EXAMPLES]))
    (field,) = settings_schema(lm75)["properties"].values()
    assert (field["title"], field["minimum"], field["maximum"], field["default"]) == ("Hysteresis", 0.5, 50, 5.0)
    with pytest.raises(SettingsError, match=r"'hysteresis' is 0; wanted number >= 0\.5 and <= 50"):
        settings_of(lm75, {"hysteresis": 0})
    with pytest.raises(OptionsError, match="'address' is 118; wanted integer >= 72 and <= 79"):
        make("lm75", {"address": 0x76}, Context(), drivers([EXAMPLES]))


def test_the_example_touches_no_hardware_before_it_is_asked() -> None:
    lm75 = make("lm75", {"bus": 99}, Context(), drivers([EXAMPLES]))
    with pytest.raises(InterfaceError, match="/dev/i2c-99: there is no such bus: switch I2C on"):
        lm75.channels()


def test_the_example_installed_as_a_package_is_a_driver_without_a_folder(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    for name in ("lm75.py", "pyproject.toml"):
        (tmp_path / "package" / name).write_text((EXAMPLES / name).read_text())
    offline = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    install = [sys.executable, "-m", "pip", "install", *offline, "--target", tmp_path / "lib", tmp_path / "package"]
    subprocess.run(install, check=True, timeout=50)
    look = "from piio_agent.interfaces.door import drivers; print(drivers()['lm75'].title)"
    command, environment = [sys.executable, "-c", look], {"PYTHONPATH": str(tmp_path / "lib")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    assert done.stdout == "LM75 or TMP102 thermometer (I2C)\n", done.stderr
