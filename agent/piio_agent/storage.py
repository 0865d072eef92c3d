"""What an agent keeps on disk: the last good configuration, and what its outputs were a moment ago."""

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from piio_agent.channel import ChannelId
from piio_agent.clock import Clock
from piio_schemas.configuration import Configuration, ConfigurationError, read_configuration
from piio_schemas.documents import DocumentError, encode, read_json

log = logging.getLogger(__name__)

YOUNG = 60.0
"""Seconds after which the last state of an output is too old to return to."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

Read = TypeVar("Read")


class Saver:
    """Writes the newest of what is put into a file, on a thread of its own: a card may take a second for it."""

    def __init__(self, path: Path, durable: bool) -> None:
        self._path = path
        self._durable = durable
        self._news = threading.Condition()
        self._newest: bytes | None = None
        self._writing = False
        self._thread: threading.Thread | None = None

    def put(self, payload: bytes) -> None:
        """Have this in the file soon; what has not been written yet is left out."""
        with self._news:
            self._newest = payload
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"saver of {self._path.name}", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def finish(self, timeout: float) -> bool:
        """Wait until all is written; False if that takes longer than `timeout` seconds."""
        with self._news:
            return self._news.wait_for(lambda: self._newest is None and not self._writing, timeout)

    def _run(self) -> None:
        while True:
            _write(self._path, self._next(), self._durable)

    def _next(self) -> bytes:
        with self._news:
            self._writing = False
            self._news.notify_all()
            while self._newest is None:
                self._news.wait()
            payload, self._newest, self._writing = self._newest, None, True
            return payload


class StoredConfiguration:
    """The last good configuration, for a start without a broker."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saver = Saver(path, durable=True)

    def load(self) -> Configuration | None:
        """Return what was saved; a broken file is moved aside, and said so."""
        try:
            return read_configuration(read_json(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s cannot be read: %s", self._path, error.strerror)
        except (ConfigurationError, DocumentError) as error:
            move_aside(self._path, str(error))
        return None

    def keep(self, configuration: Configuration) -> None:
        """Keep it, soon: edges and beacons do not wait for the card."""
        self._saver.put(encode(configuration))

    def finish(self, timeout: float) -> None:
        """Wait until everything is kept, or for `timeout` seconds."""
        self._saver.finish(timeout)


class _Saved(Struct, frozen=True):
    boot_id: str
    outputs: dict[str, tuple[float, float]]
    """By channel: the raw, and the boottime at which it was that."""
    off_since: dict[str, float | None] = {}
    """By channel: the boottime since when it is off; None: it was on."""


class LastOutputs:
    """What each output was, believed only within the same boot of the machine and while young; for any thread."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._boot_id = _read_boot_id()
        self._lock = threading.Lock()
        self._saver = Saver(path, durable=False) if path else None
        saved = self._load()
        self._outputs, self._off_since = saved.outputs, saved.off_since

    def recall(self, channel: ChannelId) -> float | None:
        """Return the raw that the output had within the last minute."""
        raw, at = self._outputs.get(str(channel), (0.0, -YOUNG - 1))
        return raw if 0 <= self._clock.boottime() - at <= YOUNG else None

    def recall_off(self, channel: ChannelId) -> float | None:
        """Return since when the output is off, in boottime: now if it was on; None if it is not known to have been."""
        if str(channel) not in self._off_since:
            return None
        since = self._off_since[str(channel)]
        return self._clock.boottime() if since is None else since

    def save(
        self, outputs: Mapping[ChannelId, float], off_since: Mapping[ChannelId, float | None] | None = None
    ) -> None:
        """Keep, soon, what the outputs are now, and since when some are off; None: they are on.

        It is believed only within this boot, so it needs to outlive the process, not the machine: no flush to the
        card, which would wear it out.
        """
        with self._lock:
            now = self._clock.boottime()
            self._outputs.update({str(channel): (raw, now) for channel, raw in outputs.items()})
            self._off_since.update({str(channel): since for channel, since in (off_since or {}).items()})
            if self._saver:
                self._saver.put(encode(_Saved(self._boot_id, self._outputs, self._off_since)))

    def finish(self, timeout: float) -> None:
        """Wait until everything is kept, or for `timeout` seconds."""
        if self._saver:
            self._saver.finish(timeout)

    def _load(self) -> _Saved:
        saved = self._read()
        return saved if saved and saved.boot_id == self._boot_id else _Saved(self._boot_id, {})

    def _read(self) -> _Saved | None:
        if self._path is None:
            return None
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Saved)
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("%s cannot be read: %s", self._path, error.strerror)
        except (msgspec.MsgspecError, ValueError) as error:
            move_aside(self._path, str(error))
        return None


def _read_boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        # Without it nothing that was saved is believed.
        return os.urandom(8).hex()


def replace_file(path: Path, payload: bytes, durable: bool) -> None:
    """Replace a file as a whole, so that a power cut leaves the old or the new one; OSError if it cannot be."""
    new = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with new.open("wb") as file:
        file.write(payload)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    new.replace(path)
    if durable:
        _sync_folder(path.parent)


def move_aside(path: Path, why: str) -> None:
    """Keep a file that is broken under another name, and say so."""
    aside = path.with_suffix(".broken")
    try:
        path.replace(aside)
    except OSError as error:
        log.warning("%s is broken (%s) and cannot be moved aside: %s", path, why, error.strerror)
    else:
        log.warning("%s is broken (%s): moved aside to %s", path, why, aside.name)


def _write(path: Path, payload: bytes, durable: bool) -> None:
    try:
        replace_file(path, payload, durable)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, error.strerror)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
