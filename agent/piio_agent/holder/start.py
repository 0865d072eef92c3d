"""How a holder is started: a process that what ends the agent does not end."""

import contextlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from piio_agent.holder import door

log = logging.getLogger(__name__)

SECRETS = ("PIIO_PASSWORD", "PIIO_URL")
"""What the holder has no use for."""

STDERR = 2

LOG = "outputs.log"
LONGEST_LOG = 1_000_000
"""Bytes after which the log begins anew."""


def start_holder(name: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the holder of an agent; it can be knocked at as soon as this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    with door.build(folder) as listener, _open_log(folder / LOG) as file:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "piio_agent.holder", name, str(listener.fileno())],
            env={name: value for name, value in os.environ.items() if name not in SECRETS},
            stdin=subprocess.DEVNULL,
            stdout=file,
            # Not the agent's: whoever reads that would wait for its end, and this one outlives it.
            stderr=file,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def bound_log() -> None:
    """Let the log of this holder begin anew if it is long; what is no file has no length."""
    with contextlib.suppress(OSError):
        if os.fstat(STDERR).st_size > LONGEST_LOG:
            os.ftruncate(STDERR, 0)


def _open_log(path: Path) -> BinaryIO:
    """Open the log of a new holder, at whose end it writes; one that cannot be written goes nowhere."""
    try:
        return path.open("ab")
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror)
        return Path(os.devnull).open("wb")
