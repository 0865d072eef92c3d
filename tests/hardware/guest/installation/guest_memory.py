"""What an agent occupies with all its interfaces in use, its outputs' process included."""

from __future__ import annotations

from collections.abc import Callable

from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, ON_THE_OTHER_INTERFACES, Bench, Ear

MOST = 60
"""MB."""


def test_an_agent_with_all_its_interfaces_in_use_stays_small(
    bench: Bench, ear: Ear, admin: Client, record_property: Callable[[str, object], None]
) -> None:
    since = ear.now()
    assert admin.configure(BOARD, {"points": ON_THE_OTHER_INTERFACES}).ok
    for point in ON_THE_OTHER_INTERFACES:
        ear.wait_for(f"quality/{point}", "good", since)
    assert admin.set(f"{BOARD}/lamp", 1).done and admin.set(f"{BOARD}/servo", 0.5).done
    peaks = bench.memory()
    for process, megabytes in peaks.items():
        record_property(f"{process}, at most, MB", f"{megabytes:.1f}")
    assert sum(peaks.values()) <= MOST
    assert admin.configure(BOARD, {"points": dict.fromkeys(ON_THE_OTHER_INTERFACES)}).ok
