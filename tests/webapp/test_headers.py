"""What browsers may run, and that what we ship is what its authors made."""

import hashlib
from pathlib import Path

import pytest

import piio_webapp
from tests.webapp.stage import Stage

STATIC = Path(piio_webapp.__file__).parent / "static"


@pytest.mark.parametrize("path", ["/login", "/", "/static/link.js", "/displays/graph.js", "/nowhere", "/healthz"])
def test_every_answer_allows_only_what_is_ours(stage: Stage, path: str) -> None:
    policy = stage.visitor("vera").get(path).headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for"):
        assert part in policy
    assert "unsafe" not in policy


def test_pages_are_not_stored_by_browsers(stage: Stage) -> None:
    assert stage.visitor("vera").get("/").headers["Cache-Control"] == "no-store"


def test_no_page_and_no_module_reaches_out() -> None:
    own = [file for file in (STATIC.parent).rglob("*") if file.suffix in (".js", ".css", ".html")]
    reaching = [file for file in own if "vendor" not in file.parts and "https://" in file.read_text()]
    assert len(own) > 20
    assert reaching == []


def test_vendored_files_are_what_the_lock_says() -> None:
    lock = (STATIC / "vendor" / "vendor.lock").read_text().splitlines()
    entries = [line.split() for line in lock if line and not line.startswith("#")]
    for file, _name, _version, _licence, sha256 in entries:
        assert hashlib.sha256((STATIC / "vendor" / file).read_bytes()).hexdigest() == sha256, file
    listed = {entry[0] for entry in entries} | {"vendor.lock"}
    assert {file.name for file in (STATIC / "vendor").iterdir()} == listed
