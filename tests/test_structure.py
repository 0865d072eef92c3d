"""The house: imports point to the ground, services do not know each other, and a board is not burdened."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "piio_schemas": ("schemas", set()),
    "piio": ("client", {"piio_schemas"}),
    "piio_mosquitto": ("mosquitto", {"piio_schemas", "piio"}),
    "piio_agent": ("agent", {"piio_schemas", "piio", "piio_mosquitto"}),
    "piio_bridge": ("bridge", {"piio_schemas", "piio", "piio_mosquitto"}),
    "piio_webapp": ("webapp", {"piio_schemas", "piio", "piio_mosquitto"}),
}


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("package", ROOMS)
def test_imports_point_to_the_ground(package: str) -> None:
    folder, ground = ROOMS[package]
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (ROOT / folder / package).rglob("*.py")
        for name in _imports(file) & ROOMS.keys() - ground - {package}
    }
    assert wrong == set()


def test_the_contract_does_no_io_has_no_clock_and_no_threads() -> None:
    forbidden = {"io", "os", "pathlib", "socket", "subprocess", "time", "threading", "asyncio", "logging", "paho"}
    files = (ROOT / "schemas" / "piio_schemas").rglob("*.py")
    assert {f"{file.name}: {name}" for file in files for name in _imports(file) & forbidden} == set()


def test_outputs_know_no_mqtt() -> None:
    files = (ROOT / "agent" / "piio_agent" / "outputs").rglob("*.py")
    assert {f"{file.name}: {name}" for file in files for name in _imports(file) & {"paho", "piio"}} == set()


def test_a_board_is_burdened_neither_with_flask_nor_with_numpy() -> None:
    needed = _closure("piio", {"agent"})
    assert needed & {"flask", "numpy", "numexpr", "sqlalchemy"} == set()
    assert {"paho-mqtt", "msgspec", "gpiod"} <= needed


def test_an_agent_at_work_has_loaded_nothing_of_the_other_services() -> None:
    code = "import sys, piio_agent.command, piio_agent.agent; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())
    assert "piio_agent" in loaded
    assert loaded & {"flask", "numpy", "numexpr", "sqlalchemy", "piio_bridge", "piio_webapp"} == set()


def _closure(name: str, extras: set[str]) -> set[str]:
    """Return the names of all distributions that one needs with some extras."""
    found: set[str] = set()
    waiting = [(name, frozenset(extras))]
    while waiting:
        current, wanted = waiting.pop()
        for requirement in metadata.requires(current) or []:
            text, _, marker = requirement.partition(";")
            extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
            if extra and extra[1] not in wanted:
                continue
            needed = re.split(r"[\s\[<>=!~(]", text.strip(), maxsplit=1)[0].lower()
            if needed not in found:
                found.add(needed)
                try:
                    metadata.distribution(needed)
                except metadata.PackageNotFoundError:
                    continue  # for another platform or an older Python
                waiting.append((needed, frozenset()))
    return found
