"""A stop: whatever is said on its topic stops, but for nothing at all."""

import pytest

from piio_schemas.stopping import read_stop


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"by": "anna"}', "stopped by anna"),
        (b"{}", "stopped by somebody"),
        (b"1", "stopped by somebody"),
        (b"\xff\x00", "stopped by somebody"),
        (b'{"by": 7}', "stopped by somebody"),
        (b'{"by": "an\\u001bna", "colour": "red"}', "stopped by anna"),
        (b'{"by": "' + b"a" * 70_000 + b'"}', "stopped by somebody"),
    ],
)
def test_whatever_is_said_stops(payload: bytes, reason: str) -> None:
    stop = read_stop(payload)
    assert stop is not None and stop.reason == reason


def test_an_empty_payload_is_no_stop() -> None:
    assert read_stop(b"") is None
