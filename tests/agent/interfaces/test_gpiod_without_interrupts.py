"""What the driver gpiod does on a chip without interrupts, such as an expander: no chip of the guest kernel is one."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from piio_agent.interfaces.errors import DeviceFailed
from piio_agent.interfaces.gpiod_channels import Lines
from piio_agent.interfaces.gpiod_request import wanted, with_edges
from piio_agent.interfaces.line_settings import LineSettings

gpiod = pytest.importorskip("gpiod")

LINE = Lines("GPIO5", (5,))


class Kernel:
    """Refuses the first `refusals` requests, and keeps what it was asked."""

    def __init__(self, refusals: int, reason: int) -> None:
        self.refusals, self.reason = refusals, reason
        self.asked: list[str] = []

    def request(self, config: Any) -> None:
        self.asked.append(config[5].edge_detection.name)
        if len(self.asked) <= self.refusals:
            raise OSError(self.reason, "refused")


@pytest.mark.parametrize("reason", [errno.ENXIO, errno.EINVAL, 524])
def test_an_input_is_opened_without_edges_where_there_are_none(reason: int) -> None:
    kernel = Kernel(1, reason)
    assert not with_edges("GPIO5", wanted(LINE, "input", LineSettings(), None), kernel.request)
    assert kernel.asked == ["BOTH", "NONE"]


def test_what_is_refused_either_way_is_reported() -> None:
    kernel = Kernel(2, errno.EINVAL)
    with pytest.raises(DeviceFailed, match=r"GPIO5: opening failed: refused \(EINVAL\)"):
        with_edges("GPIO5", wanted(LINE, "input", LineSettings(), None), kernel.request)


def test_an_output_is_asked_for_once() -> None:
    kernel = Kernel(1, errno.EINVAL)
    with pytest.raises(DeviceFailed):
        with_edges("GPIO5", wanted(LINE, "output", LineSettings(), 1), kernel.request)
    assert kernel.asked == ["NONE"]
