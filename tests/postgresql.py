"""A real PostgreSQL for tests: the fixture `postgresql` is a server of the session's own, started when first asked for.

`postgresql.database()` makes an empty database and returns its URL, for a bridge's or a web app's `--database`:
`Bridge(broker, folder, "--database", postgresql.database())`. Who wants both in one database gives both the same URL.
A test that stops or restarts a server starts one of its own: `with PostgreSQL() as server`.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

WITHIN = 30.0
"""Seconds that it may take to start; alone it takes one."""

UNSAFE = {"fsync": "off", "full_page_writes": "off", "autovacuum_naptime": "1s"}
"""Settings for what is thrown away at the end."""


class PostgreSQL:
    """A server that only this machine reaches, by a socket in a folder of its own; it dies with the tests.

    PostgreSQL refuses to run as root: then it belongs to Debian's `postgres`.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="piio-postgresql-"))
        self._as_nobody_special = ["setpriv", "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._as_nobody_special += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        self._numbers = itertools.count(1)
        self._log = (self._folder / "log").open("ab")
        options = ["-D", self._data, "-U", "piio", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"]
        self._run("initdb", *options).check_returncode()
        self.start()

    def __enter__(self) -> "PostgreSQL":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._log.close()
        shutil.rmtree(self._folder)

    @property
    def folder(self) -> Path:
        """Where its socket is: libpq's `host`."""
        return self._folder

    @property
    def log(self) -> str:
        """What it said."""
        return (self._folder / "log").read_text()

    def database(self) -> str:
        """Make an empty database; its URL."""
        name = f"piio{next(self._numbers)}"
        done = self._run("createdb", "-h", self._folder, "-U", "piio", name)
        assert done.returncode == 0, self.log
        return f"postgresql+psycopg://piio@/{name}?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in UNSAFE.items()]
        command = [_program("postgres"), "-D", self._data, "-k", self._folder, "-h", "", *settings]
        self.process = subprocess.Popen(
            [*self._as_nobody_special, *command], stdout=self._log, stderr=self._log, cwd=self._folder
        )
        until = time.monotonic() + WITHIN
        while self._run("pg_isready", "-q", "-h", self._folder).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < until, f"PostgreSQL does not start:\n{self.log}"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it and all connections at once: what is not on the disk by then is recovered at the next start."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(WITHIN)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
        command = [*self._as_nobody_special, _program(program), *arguments]
        return subprocess.run(command, stdout=self._log, stderr=self._log, cwd=self._folder, check=False)


def _program(name: str) -> str:
    """Where a program is: Debian keeps those of the newest release of PostgreSQL off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    assert program, f"there is no {name}: type sudo apt-get install postgresql"
    return program
