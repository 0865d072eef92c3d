"""Waking in time: what a thread needs that sleeps for less than a millisecond and should not be late."""

import ctypes
import logging
import os
import threading

log = logging.getLogger(__name__)

PR_SET_TIMERSLACK = 29
"""Of prctl(2): by how many nanoseconds the kernel may be late to wake this thread; 50,000 unless said."""

NICENESS = -10
"""Before whatever else runs, but not so that it starves."""


def be_punctual() -> None:
    """Have the kernel wake the calling thread as soon as its time has come, before other threads where it may."""
    try:
        if ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0):
            log.info("samples may be some 50 µs late: the kernel does not allow less")
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except (OSError, AttributeError) as error:
        log.info("samples may be late while the machine is busy (%s): a limit of nice %d helps", error, NICENESS)
