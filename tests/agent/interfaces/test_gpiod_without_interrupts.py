"""What the driver gpiod does on a chip without interrupts, such as an expander: no chip of the guest kernel is one."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from piio_agent.interfaces.errors import DeviceFailed
from piio_agent.interfaces.gpiod import _try_with_edges, _wanted
from piio_agent.interfaces.line_settings import LineSettings

gpiod = pytest.importorskip("gpiod")


class Kernel:
    """Refuses the first `refusals` requests, and keeps what it was asked."""

    def __init__(self, refusals: int, reason: int) -> None:
        self.refusals, self.reason = refusals, reason
        self.asked: list[str] = []

    def request(self, wanted: Any) -> None:
        self.asked.append(wanted.edge_detection.name)
        if len(self.asked) <= self.refusals:
            raise OSError(self.reason, "refused")


@pytest.mark.parametrize("reason", [errno.ENXIO, errno.EINVAL, 524])
def test_an_input_is_opened_without_edges_where_there_are_none(reason: int) -> None:
    kernel = Kernel(1, reason)
    assert not _try_with_edges("GPIO5", _wanted("GPIO5", "input", LineSettings(), None), kernel.request)
    assert kernel.asked == ["BOTH", "NONE"]


def test_what_is_refused_either_way_is_reported() -> None:
    kernel = Kernel(2, errno.EINVAL)
    with pytest.raises(DeviceFailed, match=r"GPIO5: opening failed: refused \(EINVAL\)"):
        _try_with_edges("GPIO5", _wanted("GPIO5", "input", LineSettings(), None), kernel.request)


def test_an_output_is_asked_for_once() -> None:
    kernel = Kernel(1, errno.EINVAL)
    with pytest.raises(DeviceFailed):
        _try_with_edges("GPIO5", _wanted("GPIO5", "output", LineSettings(), 1), kernel.request)
    assert kernel.asked == ["NONE"]
