"""Files and folders that only their owner reads, written whole or not at all."""

import os
import stat
import tempfile
from pathlib import Path

from piio.errors import PiioError

PRIVATE = 0o600


class StateError(PiioError, OSError):
    """A state folder that cannot be used as it is; the message says which part and why."""


def make_private_folder(folder: Path) -> Path:
    """Make a folder (and its parents) that only we enter; StateError says what is in the way."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise StateError(f"{folder} is not ours to write: give it to this user, or choose another --state")
    except FileExistsError as error:
        raise StateError(f"{folder} is a file, a folder is needed: move it away, or choose another --state") from error
    except OSError as error:
        if isinstance(error, StateError):
            raise
        raise StateError(f"{folder} cannot be made: {error.strerror}; choose another --state") from error
    return folder


def write_private(file: Path, text: str) -> None:
    """Replace a file by one of mode 600, so that a reader or a crash sees the old or the new and never a half.

    One that says this already is left alone: a start needs no room on a disk that is full.
    """
    if _says_already(file, text):
        return
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mkstemp makes it mode 600
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise StateError(f"{file} cannot be written: {error.strerror}") from error


def _says_already(file: Path, text: str) -> bool:
    try:
        return stat.S_IMODE(file.stat().st_mode) == PRIVATE and file.read_text() == text
    except (OSError, UnicodeDecodeError):
        return False


def read_private(file: Path) -> str | None:
    """Return a file's text, None when it is not there; StateError when it cannot be read."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise StateError(f"{file} is damaged (not text): move it away, then start again") from error
    except OSError as error:
        raise StateError(f"{file} cannot be read: {error.strerror}") from error
