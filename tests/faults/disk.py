"""A disk of a few kilobytes: a tmpfs, mounted where a process keeps its files."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """Mount a small disk on a new folder; False where that is not allowed, and the folder is an ordinary one."""
    folder.mkdir(mode=0o700, parents=True)
    options = f"size={kilobytes}k,mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def need(mounted: bool) -> None:
    """Skip, with words, where there is no small disk to be filled."""
    if not mounted:
        pytest.skip("only root may mount a small disk (and not in every container): run the tests as root to fill one")


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Have no room at all on a folder's disk."""
    filler = fill(folder)
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write on a folder's disk."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until the disk is full; return the file that fills it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 512, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return filler
