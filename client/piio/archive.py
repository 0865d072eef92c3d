"""Everything of an installation in one file: made while it runs, checked whole before anything is restored from it."""

import hashlib
import os
import sqlite3
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from io import BytesIO
from pathlib import Path, PurePosixPath

from msgspec import MsgspecError, Struct, json

from piio.errors import PiioError

MANIFEST = "manifest.json"
FORMAT = 1

LEFT_OUT = (
    "logs/*", "*.lock", "*.leader", "*.pid", "*-wal", "*-shm", "*.new", "*.sock", "*.log", "broker/mosquitto.db*",
    "*/trace.jsonl",
)  # fmt: skip
"""What is not state: logs, what only a running process means, and what the broker remembers: the bridge tells it."""

ASIDE = "before-"
"""How a folder begins that keeps what a restored installation replaced."""

SQLITE = b"SQLite format 3\0"

CHUNK = 1 << 20


class ArchiveError(PiioError, OSError):
    """A backup that cannot be made or is not whole; nothing was changed."""


class Entry(Struct, frozen=True):
    """One file of an archive."""

    size: int
    sha256: str
    mode: int


class Manifest(Struct, frozen=True):
    """What an archive holds: it is the archive's first member."""

    format: int
    piio: str
    """The version that made it."""
    made: float
    """Unix seconds."""
    files: dict[str, Entry]


def back_up(state: Path, file: Path) -> Manifest:
    """Write an archive of a state folder, running or not, readable by its owner alone, whole or not at all."""
    if not (state / "broker" / "identities.json").exists() and not (state / "bridge.db").exists():
        raise ArchiveError(f"there is no installation in {state}: name its folder with --state")
    try:
        with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=f".{file.name}.") as folder:
            sources = dict(_snapshots(state, Path(folder)))
            manifest = Manifest(FORMAT, version("piio"), time.time(), {n: _entry(p) for n, p in sources.items()})
            new = Path(folder) / "archive"
            _write(new, manifest, sources)
            new.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"the backup could not be made: {error}") from error
    return manifest


@contextmanager
def opened(file: Path) -> Iterator[tuple[tarfile.TarFile, Manifest]]:
    """Open an archive; ArchiveError if it is none or was made by a newer version."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            first = archive.next()
            member = archive.extractfile(first) if first and first.name == MANIFEST else None
            if member is None:
                raise ArchiveError(f"{file} is not a backup of PiIO")
            manifest = json.decode(member.read(), type=Manifest)
            if manifest.format > FORMAT:
                raise ArchiveError(f"{file} was made by piio {manifest.piio}: restore it with that version or a newer")
            yield archive, manifest
    except PiioError:
        raise
    except (OSError, tarfile.TarError, EOFError, MsgspecError, zlib.error) as error:
        raise ArchiveError(f"{file} cannot be read as a backup: {error}") from error


def extract(archive: tarfile.TarFile, manifest: Manifest, folder: Path) -> None:
    """Take every file out into a folder of our own; ArchiveError if one is damaged, missing or does not belong."""
    missing = dict(manifest.files)
    for member in archive:
        if member.name == MANIFEST:
            continue
        entry = missing.pop(member.name, None)
        if entry is None or not member.isfile() or not _is_inside(member.name):
            raise ArchiveError(f"'{member.name}' does not belong into a backup: nothing was restored")
        source = archive.extractfile(member)
        assert source is not None
        target = folder / member.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, entry.mode & 0o700)
        with os.fdopen(handle, "wb") as stream:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        if digest.hexdigest() != entry.sha256:
            raise ArchiveError(f"'{member.name}' is damaged in the backup: nothing was restored")
    if missing:
        raise ArchiveError(f"the backup lacks {', '.join(sorted(missing)[:5])}: nothing was restored")


def _snapshots(state: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Copy every file of the state as it is in one moment: databases by SQLite's own means."""
    for number, path in enumerate(sorted(state.rglob("*"))):
        name = path.relative_to(state).as_posix()
        if path.is_symlink() or not path.is_file() or _is_left_out(name):
            continue
        copy = folder / str(number)
        if _is_database(path):
            _copy_database(path, copy)
        else:
            copy.write_bytes(path.read_bytes())
        copy.chmod(path.stat().st_mode & 0o700)
        yield name, copy


def _is_left_out(name: str) -> bool:
    pure = PurePosixPath(name)
    hidden = name.startswith((".", ASIDE))
    return hidden or any(pure.match(pattern) for pattern in LEFT_OUT)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def _copy_database(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path, timeout=10)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, whatever the original uses


def _entry(path: Path) -> Entry:
    with path.open("rb") as file:
        return Entry(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_mode & 0o700)


def _write(new: Path, manifest: Manifest, sources: dict[str, Path]) -> None:
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            text = json.format(json.encode(manifest), indent=1)
            first = tarfile.TarInfo(MANIFEST)
            first.size, first.mtime, first.mode = len(text), int(manifest.made), 0o600
            archive.addfile(first, BytesIO(text))
            for name, path in sources.items():
                info = tarfile.TarInfo(name)
                info.size, info.mtime, info.mode = path.stat().st_size, int(manifest.made), 0o600
                with path.open("rb") as source:
                    archive.addfile(info, source)
        stream.flush()
        os.fsync(stream.fileno())


def _is_inside(name: str) -> bool:
    pure = PurePosixPath(name)
    return not pure.is_absolute() and ".." not in pure.parts and pure.parts != ()
