"""The broker's folder in the state folder of an installation: its files, and telling the broker about new ones."""

import os
import pwd
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from piio.local_socket import local_socket
from piio.lock import FileLock
from piio.private_file import StateError, make_private_folder, read_private, write_private
from piio_mosquitto.access import access_file, password_file
from piio_mosquitto.configuration import Listener, configuration_file
from piio_mosquitto.errors import BrokerError
from piio_mosquitto.identities import SERVICES, Identities
from piio_mosquitto.password import new_password

COPIES = ("env", "mosquitto_pub", "mosquitto_sub")
"""Files of the state folder that hold passwords too, for people's tools."""


class BrokerFolder:
    """What `piio broker`, `piio user` and `piio up` share, in STATE/broker and STATE/secrets."""

    def __init__(self, state: Path) -> None:
        self.state = state.absolute()
        self.path = self.state / "broker"
        self.secrets = self.state / "secrets"
        self.configuration = self.path / "mosquitto.conf"
        self.database = self.path / "mosquitto.db"
        self._listener_file = self.path / "listener.json"
        self._pid_file = self.path / "mosquitto.pid"

    def make(self) -> None:
        """Make the folders where they are not there yet."""
        for folder in (self.state, self.path, self.secrets):
            make_private_folder(folder)

    def check_made(self) -> None:
        """Raise BrokerError where no broker has ever been started."""
        if not (self.path / "identities.json").exists():
            raise BrokerError(
                f"there is no installation in {self.state}: start one with `piio up` or `piio broker`, or name it "
                "with --state"
            )

    @contextmanager
    def identities(self) -> Iterator[Identities]:
        """Hold the identities alone; at the end the broker's lists are made from them and the broker is told."""
        with FileLock(self.path / "identities.lock"):
            identities = Identities(self.path / "identities.json")
            yield identities
            identities.save()
            lists = {"passwords": password_file(identities), "access": access_file(identities)}
            changed = [name for name, text in lists.items() if read_private(self.path / name) != text]
            for name in changed:
                write_private(self.path / name, lists[name])
            if changed:
                self.reload()

    def ensure_services(self) -> None:
        """See to it that the bridge and the web app have identities, and each a password file of its own."""
        self.make()
        with self.identities() as identities:
            for name in SERVICES:
                file = self.secret(name)
                if name not in identities or not file.exists():
                    password = new_password()
                    identities.set_service(name, password)
                    write_private(file, password + "\n")

    def secret(self, name: str) -> Path:
        """Return the file that holds the password of a service or a board of this installation."""
        return self.secrets / f"{name}.password"

    def replace_secret(self, name: str, password: str) -> None:
        """Put a new password wherever this installation keeps the old one: the secret and the files made from it."""
        file = self.secret(name)
        old = (read_private(file) or "").strip()
        if not old:
            return
        for copy in (*(self.state / each for each in COPIES), file):
            text = read_private(copy)
            if text and old in text:
                write_private(copy, text.replace(old, password))

    def configure(self, listener: Listener) -> None:
        """Write what Mosquitto reads at its start."""
        user = pwd.getpwuid(0).pw_name if os.geteuid() == 0 else None
        write_private(self.configuration, configuration_file(self.path, listener, user, self._usable_socket()))
        write_private(self._listener_file, msgspec.json.encode(listener).decode())

    def _usable_socket(self) -> Path | None:
        """The socket for this machine, if the file system can have one; what an earlier broker left is removed."""
        path = local_socket(self.state)
        if path is None:
            return None
        path.unlink(missing_ok=True)
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(str(path))
        except OSError:
            return None
        path.unlink()
        return path

    def listener(self) -> Listener:
        """Return where the broker listens, or last did."""
        text = read_private(self._listener_file)
        if text is None:
            raise BrokerError(f"the broker in {self.state} has never been started: start it with `piio up`")
        try:
            return msgspec.json.decode(text, type=Listener)
        except msgspec.MsgspecError as error:
            raise StateError(f"{self._listener_file} is damaged ({error}): delete it and start again") from error

    def note_pid(self, pid: int | None) -> None:
        """Remember (or forget) which process the broker is.

        It is written over what is there, always as long: that needs no room on a disk that is full.
        """
        try:
            handle = os.open(self._pid_file, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(handle, f"{pid or 0:<10}\n".encode(), 0)
            finally:
                os.close(handle)
        except OSError as error:
            print(
                f"Warning: {self._pid_file} cannot be written ({error.strerror}): the broker hears of new people and "
                "boards at its next start only", file=sys.stderr, flush=True,
            )  # fmt: skip

    def pid(self) -> int | None:
        """Return the broker's process, if it is alive and really this folder's."""
        try:
            pid = int(self._pid_file.read_text())
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self.configuration) in command_line.split(b"\0") else None

    def reload(self) -> bool:
        """Have the broker read its lists again; False when none runs."""
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGHUP)
        return True
