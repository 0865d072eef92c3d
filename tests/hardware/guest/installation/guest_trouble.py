"""What is wrong with a line or a chip is told where it is wanted, and nothing else suffers."""

from __future__ import annotations

import os
from typing import Any

from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, Bench, Ear
from tests.hardware.guest.sim_chip import SimChip

OTHERS = ("button", "door", "pump", "valve", "tank")


def refused(admin: Client, point: dict[str, Any]) -> list[tuple[str, str]]:
    answer = admin.configure(BOARD, {"points": {"wrong": {"interface": "gpio", **point}}})
    return [(error.path, error.message) for error in answer.errors]


def undisturbed(ear: Ear, since: int) -> bool:
    return all(ear.payloads(f"quality/{point}", since) == [] for point in OTHERS)


def test_a_line_or_a_setting_that_there_is_not_is_refused_with_those_that_there_are(ear: Ear, admin: Client) -> None:
    since = ear.now()
    ((path, message),) = refused(admin, {"channel": "54"})
    assert path == "points.wrong.channel" and message.startswith("'gpio' has no channel '54'; it has: port, 0, 1, 2,")
    ((path, message),) = refused(admin, {"channel": "7", "settings": {"bias": "up"}})
    assert path == "points.wrong.settings.bias" and "'up' is not one of" in message
    ((path, message),) = refused(admin, {"channel": "7", "settings": {"pull": "up"}})
    assert path == "points.wrong.settings" and "'pull' was unexpected" in message
    assert undisturbed(ear, since)


def test_one_line_by_two_names_is_an_error_at_the_second_point_that_names_the_first(ear: Ear, admin: Client) -> None:
    since = ear.now()
    twice = {"interface": "gpio", "channel": "GPIO17", "direction": "output"}
    assert admin.configure(BOARD, {"points": {"twice": twice}}).ok
    reason = "GPIO17 is in use as channel '17', which is the same line: name one of them everywhere"
    ear.wait_for("quality/twice", f"bad: {reason}", since)
    assert admin.set(f"{BOARD}/pump", 1).done
    assert undisturbed(ear, since)
    assert admin.configure(BOARD, {"points": {"twice": None}}).ok


def test_a_chip_that_is_not_there_is_told_with_those_that_are_and_is_taken_when_it_comes(
    ear: Ear, admin: Client
) -> None:
    since = ear.now()
    there = ear.wait_json("capabilities", bool)["interfaces"]["absent"]
    assert (there["ok"], there["error"].split(";")[0]) == (False, "no GPIO chip is called 'pinctrl-rp1'")
    late = SimChip("pinctrl-rp1")
    try:
        ear.wait_json("capabilities", lambda said: said["interfaces"]["absent"]["ok"], since)
        led = {"interface": "absent", "channel": "2", "direction": "output", "on_start": "on"}
        assert admin.configure(BOARD, {"points": {"led": led}}).ok
        ear.wait_for("quality/led", "good", since)
        assert late.value(2) == 1
        assert undisturbed(ear, since)
        assert admin.configure(BOARD, {"points": {"led": None}}).ok
        ear.wait_for("quality/led", "", since)
    finally:
        late.remove()


def test_a_device_file_that_is_not_ours_to_open_names_the_remedy_and_is_opened_when_it_is(
    bench: Bench, ear: Ear, admin: Client
) -> None:
    device = f"/dev/{bench.chip.name}"
    bench.kill_agent(and_holder=True)
    os.chown(device, 65534, 65534)
    since = ear.now()
    try:
        bench.start_agent()
        for point in OTHERS[:-1]:
            said = ear.wait(f"quality/{point}", lambda said: said.startswith("bad: "), since).payload.decode()
            assert f"{device}: permission denied: add this user to the group gpio: sudo usermod -aG gpio" in said
        ear.wait_for("quality/tank", "good", since)
        since = ear.now()
    finally:
        os.chown(device, 0, 0)
    for point in OTHERS[:-1]:
        ear.wait_for(f"quality/{point}", "good", since)
