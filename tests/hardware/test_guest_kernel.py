"""Which kernel the guest boots, and that one is built once and whole; a short script stands in for the long build."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware.lab import kernel

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the guest is for x86-64")

WHOLE = 'touch "$1/linux-uml" "$1/hwsim.ko" "$1/i2c-stub.ko"'
WAITS = 'echo begun; read -r go <"$(dirname "$0")/go"'


class Checkout:
    """The lab in a checkout of its own, with a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.lab = folder / "main" / "tests" / "hardware" / "lab"
        self.beside = folder / "shared" / "hwlab"
        self.cache = folder / "cache" / "piio"
        self.started: list[subprocess.Popen[str]] = []
        shutil.copytree(kernel.LAB, self.lab, ignore=shutil.ignore_patterns("__pycache__"))
        os.mkfifo(self.lab / "go")

    def builds_by(self, *lines: str) -> None:
        """Let these lines of a shell's be the build."""
        text = '[ "$1" != --missing ] || exit 0\necho "$1" >>"$(dirname "$0")/builds"\n'
        (self.lab / "build").write_text("#!/bin/sh\nset -e\n" + text + "\n".join(lines))

    def start(self, *options: str, named: Path | None = None) -> subprocess.Popen[str]:
        """Start `kernel.py`, PIIO_HWLAB naming a folder or none."""
        variables = {**os.environ, "XDG_CACHE_HOME": str(self.cache.parent), "PIIO_HWLAB": str(named or "")}
        command = [sys.executable, str(self.lab / "kernel.py"), *options]
        self.started.append(
            subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return self.started[-1]

    def find(self, named: Path | None = None) -> tuple[str, str]:
        """Return the folder that would be booted, and the complaint if there is none."""
        out, err = self.start("--find", named=named).communicate(timeout=10)
        return out.strip(), err

    def said(self, process: subprocess.Popen[str]) -> str:
        """Wait for the next line that a process says about its work."""
        assert process.stderr is not None
        return process.stderr.readline().strip()

    def go(self) -> None:
        """Let a build that waits go on."""
        (self.lab / "go").write_text("go\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path)
    made.builds_by(WHOLE)
    yield made
    for process in made.started:
        process.kill()
    os.close(os.open(made.lab / "go", os.O_RDWR))  # a build that still waits hears the end
    for process in made.started:
        process.communicate()


def prebuilt(folder: Path, *names: str) -> Path:
    """Make a folder with these files of a kernel, or all of them."""
    folder.mkdir(parents=True)
    for name in names or kernel.FILES:
        (folder / name).touch()
    return folder


def test_the_one_that_is_named_goes_before_the_one_beside_and_that_before_the_one_built(checkout: Checkout) -> None:
    named = prebuilt(checkout.lab.parent / "named")
    built = checkout.start().communicate()[0].strip()
    assert checkout.find() == (built, "")
    assert Path(built).parent == checkout.cache
    prebuilt(checkout.beside)
    assert checkout.find() == (str(checkout.beside), "")
    assert checkout.find(named) == (str(named), "")


def test_what_lacks_a_part_is_not_taken(checkout: Checkout) -> None:
    named = prebuilt(checkout.lab.parent / "named", "linux-uml", "hwsim.ko")
    assert "Type: unset PIIO_HWLAB" in checkout.find(named)[1]
    built = Path(checkout.start().communicate()[0].strip())
    (built / "hwsim.ko").unlink()
    prebuilt(checkout.beside, "linux-uml")
    folder, complaint = checkout.find()
    assert (folder, f"Type: {checkout.lab / 'kernel.py'}" in complaint) == ("", True)
    checkout.start().communicate()
    assert checkout.find() == (str(built), "")


def test_a_build_that_was_cut_off_is_not_taken_and_leaves_nothing(checkout: Checkout) -> None:
    checkout.builds_by(WHOLE, WAITS)
    cut_off = checkout.start()
    assert checkout.said(cut_off) == "begun"
    cut_off.kill()
    cut_off.wait()
    assert checkout.find()[0] == ""
    checkout.go()
    again = checkout.start()
    assert checkout.said(again) == "begun"
    checkout.go()
    folder = again.communicate()[0].strip()
    assert checkout.find() == (folder, "")
    assert {file.name for file in checkout.cache.iterdir()} == {"guest.lock", Path(folder).name}


def test_two_at_once_build_once(checkout: Checkout) -> None:
    checkout.builds_by(WAITS, WHOLE)
    first = checkout.start()
    assert checkout.said(first) == "begun"
    second = checkout.start()
    assert checkout.said(second) == "waiting for another build of the guest's kernel"
    checkout.go()
    assert first.communicate()[0] == second.communicate()[0] != ""
    assert len((checkout.lab / "builds").read_text().splitlines()) == 1


def test_a_build_that_failed_is_told_by_whoever_needs_it(checkout: Checkout) -> None:
    checkout.builds_by(WHOLE, "echo no more room on the disk", "exit 1")
    failed = checkout.start()
    assert "could not be built" in failed.communicate()[1]
    assert failed.returncode == 1
    assert "no more room on the disk" in checkout.find()[1]


@pytest.mark.parametrize("name", ["build", "hwsim.c", "kernel.config"])
def test_another_source_is_another_kernel(checkout: Checkout, name: str) -> None:
    before = checkout.start().communicate()[0]
    with (checkout.lab / name).open("a") as file:
        file.write("\n")
    assert checkout.find()[0] == ""
    assert checkout.start().communicate()[0] not in ("", before)
