"""GPIO chips: which there are, how they are called, and who holds what."""

from collections.abc import Iterable
from pathlib import Path

from piio.checkup import Finding
from piio_agent.checkup import device_file
from piio_agent.interfaces.errors import DriverMissing, InterfaceError
from piio_agent.interfaces.gpiod_chip import DEV, FoundChip, bindings, find_chip, open_chip

PART = "gpio"


def findings() -> Iterable[Finding]:
    """Say of each chip what to call it, and which of its lines are taken."""
    # A link is another name for a chip that is there anyway.
    paths = sorted(path for path in DEV.glob("gpiochip*") if not path.is_symlink())
    if not paths:
        yield Finding(PART, None, f"no GPIO chip here ({DEV}/gpiochip*): piio agent --simulate works without")
        return
    try:
        bindings()
    except DriverMissing as error:
        message, _, remedy = str(error).partition(": ")
        yield Finding(PART, False, f"{paths[0]} is there, but {message}", remedy)
        return
    for path in paths:
        yield _chip(path)


def _chip(path: Path) -> Finding:
    if not device_file.usable(path):
        return Finding(PART, False, f"{path} is not open to this user", device_file.remedy(path))
    try:
        chip = find_chip(str(path))
        held = ", ".join(_held(chip)) or "none of them held"
        default = "; taken where no chip is named" if find_chip("").path == chip.path else ""
    except InterfaceError as error:
        return Finding(PART, False, str(error))
    return Finding(PART, True, f"{chip.label} ({chip.name}): {len(chip.names)} lines, {held}{default}")


def _held(chip: FoundChip) -> Iterable[str]:
    with open_chip(chip.path) as handle:
        for offset in range(len(chip.names)):
            line = handle.get_line_info(offset)
            if line.used:
                yield f"{line.name or offset} held by {line.consumer or 'the kernel'!r}"
