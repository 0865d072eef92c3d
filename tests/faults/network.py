"""Links that can be cut without anybody being told: a network namespace behind a pair of veth, and nftables."""

import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.parts import end_with_parent

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()

DROPPED = {"from": "output", "to": "input"}
"""In which direction packets are dropped, seen from who is inside: what comes from them, or what goes to them."""


def need_namespaces() -> None:
    """Skip, with words, where networks cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("only root may make network namespaces: run the tests as root to cut links")
    missing = [program for program in ("ip", "nft", "nsenter", "unshare") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"links cannot be cut here without {', '.join(missing)}: apt install iproute2 nftables util-linux")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine (a container?) does not let even root make network namespaces")


class Network:
    """A network of its own with one link to ours; it ends with `close`, and with this process."""

    def __init__(self) -> None:
        number = next(_numbers)
        subnet = f"198.18.{os.getpid() % 250}.{number * 4 % 256}"
        base = subnet.rpartition(".")[0]
        self.gateway = f"{base}.{number * 4 + 1}"
        """Our address, seen from inside."""
        self.inside_address = f"{base}.{number * 4 + 2}"
        self._link = f"piio{os.getpid() % 100000}v{number}"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--kill-child", "--fork", "sleep", "infinity"], preexec_fn=end_with_parent
        )
        pid = self._sleeper()
        self.before = ("nsenter", f"--net=/proc/{pid}/ns/net")
        """The words in front of a command that make it run inside."""
        self._namespace = Path(f"/proc/{pid}/ns/net")
        _run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "veth0", "netns", str(pid))
        _run("ip", "address", "add", f"{self.gateway}/30", "dev", self._link)
        _run("ip", "link", "set", self._link, "up")
        _run(*self.before, "ip", "link", "set", "lo", "up")
        _run(*self.before, "ip", "address", "add", f"{self.inside_address}/30", "dev", "veth0")
        _run(*self.before, "ip", "link", "set", "veth0", "up")

    @contextmanager
    def cut(self, *directions: str, port: int | None = None) -> Iterator[None]:
        """Drop every packet of the link, or those of one direction or to one port of ours; nobody is told."""
        chains = "".join(_chain(hook, port) for name, hook in DROPPED.items() if name in (directions or DROPPED))
        _run(*self.before, "nft", "-f", "-", text=f"table inet cut {{\n{chains}}}\n")
        try:
            yield
        finally:
            _run(*self.before, "nft", "flush", "ruleset")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the sockets that this thread makes meanwhile be inside."""
        with Path("/proc/thread-self/ns/net").open() as ours, self._namespace.open() as theirs:
            _enter(theirs.fileno())
            try:
                yield
            finally:
                _enter(ours.fileno())

    def close(self) -> None:
        """Take the link and the network away."""
        subprocess.run(["ip", "link", "delete", self._link], capture_output=True)
        self._holder.kill()
        self._holder.wait()

    def _sleeper(self) -> int:
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        while True:
            found = children.read_text().split()
            if found and Path(f"/proc/{found[0]}/comm").read_text().strip() == "sleep":
                return int(found[0])


def _chain(hook: str, port: int | None) -> str:
    packets = "oifname veth0" if hook == "output" else "iifname veth0"
    if port is not None:
        packets += f" tcp {'dport' if hook == 'output' else 'sport'} {port}"
    return f"chain {hook} {{\n type filter hook {hook} priority 0; policy accept;\n {packets} drop\n}}\n"


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "the network cannot be entered")


def _run(*command: str, text: str = "") -> None:
    subprocess.run(command, input=text, text=True, check=True, capture_output=True)
