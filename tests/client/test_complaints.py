"""Complaints about what others send."""

import pytest

from piio.complaints import Complaints
from piio_agent.clock import ManualClock


def test_a_flood_is_counted_and_makes_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    complaints = Complaints(clock)
    for _ in range(1000):
        complaints.note("config", "not JSON")
    complaints.note("sim", "no such channel")
    clock.advance(61)
    complaints.note("config", "not JSON")
    assert complaints.count == 1002
    assert [record.getMessage() for record in caplog.records] == [
        "not JSON",
        "no such channel",
        "not JSON (999 more like it since the last line)",
    ]
