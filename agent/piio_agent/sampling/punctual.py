"""Waking in time: what a thread needs to sleep for less than a millisecond."""

import ctypes
import logging

log = logging.getLogger(__name__)

PR_SET_TIMERSLACK = 29
"""Of prctl(2): by how many nanoseconds the kernel may be late to wake this thread; 50,000 unless said."""


def be_punctual() -> None:
    """Have the kernel wake the calling thread as soon as its time has come."""
    try:
        refused = ctypes.CDLL(None, use_errno=True).prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)
    except (OSError, AttributeError) as error:
        log.info("samples may be some 50 µs late: %s", error)
    else:
        if refused:
            log.info("samples may be some 50 µs late: the kernel refused less (errno %d)", ctypes.get_errno())
