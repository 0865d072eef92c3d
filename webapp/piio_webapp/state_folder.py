"""The web app's own folder: what only its owner may read."""

import hashlib
import os
import secrets
from pathlib import Path

from piio.private_file import StateError, make_private_folder

KEY_FILE = "webapp.key"
DATABASE_FILE = "webapp.db"


def own_key(state: Path) -> bytes:
    """Return the key that signs sessions, made at the first start and kept, so that a restart logs nobody out."""
    path = state / KEY_FILE
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(path)
    except OSError as error:
        raise StateError(f"{path} cannot be made: {error.strerror}") from error
    key = secrets.token_hex(32).encode()
    with os.fdopen(made, "wb") as file:
        file.write(key)
    return key


def instance(key: bytes) -> str:
    """Return the name under which the web app with this key of its own reports its status, the same at every start."""
    return hashlib.sha256(b"instance" + key).hexdigest()[:12]


def group(key: bytes) -> str:
    """Return the name that all web apps share who sign sessions with this key."""
    return hashlib.sha256(b"group" + key).hexdigest()[:12]


def database_url(state: Path, given: str | None) -> str:
    """Return the database's URL; the SQLite file of the folder is made readable by its owner alone."""
    if given:
        return given
    path = make_private_folder(state) / DATABASE_FILE
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass  # and not opened: closing it again would drop SQLite's own locks on it in this process
    except OSError as error:
        raise StateError(f"the database {path} cannot be opened: {error.strerror}") from error
    return f"sqlite:///{path.resolve()}"


def read_key(path: Path) -> bytes:
    """Return the key in a file; StateError when it is none."""
    try:
        key = path.read_bytes().strip()
    except FileNotFoundError as error:
        raise StateError(f"there is no session key {path}: copy webapp.key from the first web app's folder") from error
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}") from error
    if len(key) < 32:
        raise StateError(f"{path} is not a session key: remove it, and everybody logs in again")
    return key
