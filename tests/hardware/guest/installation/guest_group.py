"""Lines that are one number, from a set to their levels and back."""

from __future__ import annotations

from piio.client import Client
from tests.hardware.guest.installation.bench import BOARD, Ear
from tests.hardware.guest.sim_chip import SimChip

LINES = (24, 25, 26)


def levels(number: int) -> tuple[int, ...]:
    return tuple(number >> bit & 1 for bit in range(len(LINES)))


def now(chip: SimChip) -> tuple[int, ...]:
    return tuple(chip.value(line) for line in LINES)


def test_a_number_that_is_set_switches_all_lines_of_its_group_and_one_that_they_cannot_make_up_switches_none(
    ear: Ear, admin: Client, chip: SimChip
) -> None:
    since = ear.now()
    stepper = {"interface": "gpio", "channel": "port", "direction": "output", "equation": "x * 0.5", "unit": "steps"}
    assert admin.configure(BOARD, {"points": {"stepper": stepper}}).ok
    ear.wait_for("quality/stepper", "good", since)
    for number in (5, 2, 7):
        done = admin.set(f"{BOARD}/stepper", number / 2)
        assert (done.status, done.value, done.raw) == ("done", number / 2, number)
        assert now(chip) == levels(number)
    for value, reason in (
        (1.1, "the group port cannot take 2.2: it takes whole numbers from 0 to 7"),
        (4, "'stepper' takes 0 to 3.5, not 4"),
        (-0.5, "'stepper' takes 0 to 3.5, not -0.5"),
    ):
        refused = admin.set(f"{BOARD}/stepper", value)
        assert (refused.status, refused.reason) == ("refused", reason)
        assert now(chip) == levels(7)
    assert ear.last("raw/gpio/port") == "7"
    assert admin.configure(BOARD, {"points": {"stepper": None}}).ok


def test_a_group_of_inputs_is_one_number(ear: Ear, admin: Client, chip: SimChip) -> None:
    dial = {"interface": "gpio", "channel": "port", "period": 0.02, "idle_period": 0.02}
    since = ear.now()
    assert admin.configure(BOARD, {"points": {"dial": dial}}).ok
    for number in (0, 6, 3):
        for line, level in zip(LINES, levels(number), strict=True):
            chip.pull(line, level)
        ear.wait_for("value/dial", str(number), since)
    assert admin.configure(BOARD, {"points": {"dial": None}}).ok


def test_a_line_that_is_in_a_group_is_refused_as_a_channel_of_its_own(admin: Client) -> None:
    refused = admin.configure(BOARD, {"points": {"single": {"interface": "gpio", "channel": "25"}}})
    assert [(error.path, error.message.split(";")[0]) for error in refused.errors] == [
        ("points.single.channel", "'gpio' has no channel '25'")
    ]
