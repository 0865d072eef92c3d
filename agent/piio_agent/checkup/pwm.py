"""PWM chips, as sysfs shows them."""

import os
from collections.abc import Iterable
from pathlib import Path

from piio.checkup import Finding
from piio_agent.board import model
from piio_agent.checkup import device_file
from piio_agent.checkup.switches import switch_on
from piio_agent.interfaces.errors import InterfaceError
from piio_agent.interfaces.pwm_chip import CHIPS, find_pwm_chip

PART = "pwm"


def findings() -> Iterable[Finding]:
    """Say of each chip what to call it, and whether this user may take its outputs."""
    paths = sorted(CHIPS.glob("pwmchip*"))
    if not paths:
        yield Finding(PART, None, f"no PWM chip here ({CHIPS}/pwmchip*)", switch_on(PART, model()))
    for path in paths:
        yield _chip(path)


def _chip(path: Path) -> Finding:
    try:
        chip = find_pwm_chip(path.name)
    except InterfaceError as error:
        return Finding(PART, False, str(error))
    taken = ", ".join(sorted(output.name.removeprefix("pwm") for output in path.glob("pwm[0-9]*")))
    told = f"{chip.device} ({path.name}): {chip.outputs} outputs{f', taken: {taken}' if taken else ''}"
    if os.access(path / "export", os.W_OK, effective_ids=True):
        return Finding(PART, True, told)
    return Finding(PART, False, f"{told}; not open to this user", device_file.remedy(path / "export"))
