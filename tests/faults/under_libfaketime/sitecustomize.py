"""Python loads this at its start: libfaketime 0.9.10 refuses the monotonic time that `time.sleep` waits for."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
