"""Child processes that never outlive their parent, not even when it is killed."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

PR_SET_PDEATHSIG = 1

WAITED_FOR = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""The signals a parent waits for in its main thread: a child that ended, and whoever wants it to stop."""

_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: a child of a threaded process must not load


def block_signals() -> None:
    """Keep the signals for `wait_signal`; call it before any thread begins, as threads inherit it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)


def wait_signal(timeout: float | None = None) -> signal.Signals | None:
    """Wait for a signal in the main thread; None when none came within `timeout` seconds."""
    if timeout is None:
        return signal.Signals(signal.sigwait(WAITED_FOR))
    got = signal.sigtimedwait(WAITED_FOR, max(timeout, 0.0))
    return signal.Signals(got.si_signo) if got else None


def spawn(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a child with its output (both kinds) in one pipe; call it from the main thread only.

    The child has a process group of its own, so that Ctrl-C reaches us alone, and the kernel kills it with the thread
    that started it.
    """
    parent = os.getpid()

    def in_the_child() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return subprocess.Popen(  # noqa: S603
        list(arguments),
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=in_the_child,
    )
