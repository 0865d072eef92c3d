#!/usr/bin/env python3
"""The kernel that the guest boots: which one is taken, and one that is built once where there is none.

`kernel.py` builds it if need be and prints its folder; `--find` never builds; `--missing` prints the Debian packages
that are still needed here. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LAB = Path(__file__).resolve().parent
BESIDE = LAB.parents[2].parent / "shared" / "hwlab"
"""A folder beside the checkout that may have a kernel."""

BUILD = LAB / "build"

FILES = ("linux-uml", "hwsim.ko", "i2c-stub.ko")
INPUTS = ("build", "hwsim.c", "kernel.config")

TO_RUN = {"busybox-static": "busybox", "iproute2": "ip", "kmod": "insmod"}
"""Debian's package and the program of it that the guest, or what boots it, calls."""


class NoKernel(Exception):
    """There is nothing to boot; the text says why, and what to type."""


class NotThisMachine(NoKernel):
    """No kernel of ours could be booted here."""

    def __init__(self) -> None:
        super().__init__(f"the guest is Linux on x86-64; this is {platform.system()} on {platform.machine()}")


def find() -> Path:
    """Return the folder of the kernel to boot; NoKernel where there is none, or nothing to run it with."""
    folder, packages = found(), missing()
    if packages:
        names = " ".join(packages)
        raise NoKernel(f"the guest needs {names}. Type: sudo apt-get install {names}")
    if folder is None:
        raise NoKernel(f"the guest has no kernel yet. Type: {LAB / 'kernel.py'}{last_words()}")
    return folder


def found() -> Path | None:
    """Return the folder that PIIO_HWLAB names, else the one beside the checkout, else the one built before."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotThisMachine
    named = os.environ.get("PIIO_HWLAB")
    if named and not is_whole(Path(named)):
        raise NoKernel(f"PIIO_HWLAB is {named}, which should have {', '.join(FILES)}. Type: unset PIIO_HWLAB")
    candidates = [Path(named)] if named else [BESIDE, cached()]
    return next((folder.resolve() for folder in candidates if is_whole(folder)), None)


def is_whole(folder: Path) -> bool:
    """Whether a folder has all that is booted and loaded."""
    return all((folder / name).is_file() for name in FILES)


def cached() -> Path:
    """Return where the kernel lies that is built from just these inputs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    content = b"\0".join((LAB / name).read_bytes() for name in INPUTS)
    return cache / "piio" / f"guest-{hashlib.sha256(content).hexdigest()[:16]}"


def missing() -> list[str]:
    """Return the packages without which the guest cannot be run, nor, if that is still to be done, be built."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    to_run = [package for package, program in TO_RUN.items() if not shutil.which(program, path=path)]
    if found():
        return to_run
    return to_run + subprocess.run([BUILD, "--missing"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def last_words() -> str:
    """Return how the last try to build it ended, if it failed."""
    log = log_of(cached())
    if not log.is_file():
        return ""
    return "\nThe last try said:\n  " + "\n  ".join(log.read_text().splitlines()[-10:])


def log_of(folder: Path) -> Path:
    """Return what keeps the words of a try that failed."""
    return folder.with_suffix(".log")


def have() -> Path:
    """Return the folder of the kernel to boot, building it where there is none; whoever comes meanwhile waits."""
    if found() is None and not missing():
        folder = cached()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(folder.parent / "guest.lock"):
            if not (is_whole(folder) or build(folder)):
                raise NoKernel(f"the guest's kernel could not be built; {log_of(folder)} has every word")
    return find()


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """One process at a time is in here."""
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another build of the guest's kernel", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(folder: Path) -> bool:
    """Build in a folder of its own, which gets its name when all of it is there; a failure leaves its log."""
    half = folder.with_name("guest.half")
    log = log_of(folder)
    for remains in (half, folder):
        shutil.rmtree(remains, ignore_errors=True)
    half.mkdir()
    try:
        if logged([str(BUILD), str(half)], log) or not is_whole(half):
            return False
        half.rename(folder)
        log.unlink()
        return True
    finally:
        shutil.rmtree(half, ignore_errors=True)


def logged(command: list[str], log: Path) -> int:
    """Run a command, its words on our standard error and in the log; its exit status."""
    with (
        log.open("w") as record,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            record.write(line)
            print(line, end="", file=sys.stderr, flush=True)
    return process.returncode


def main() -> int:
    """Do what the command line says; 1 when there is no kernel."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--find", action="store_const", dest="do", const=find, help="print its folder, build nothing")
    what.add_argument("--missing", action="store_const", dest="do", const=missing, help="print the packages to install")
    do = parser.parse_args().do or have
    try:
        answer = do()
    except NoKernel as reason:
        print(f"kernel.py: {reason}", file=sys.stderr)
        return 1
    print(*answer if isinstance(answer, list) else [answer])
    return 0


if __name__ == "__main__":
    sys.exit(main())
