"""What switches a kind of device on, which each make of board does in its own way."""

RASPBERRY_PI = {
    "spi": "sudo raspi-config nonint do_spi 0, then reboot",
    "i2c": "sudo raspi-config nonint do_i2c 0, then reboot",
    "pwm": "add the line dtoverlay=pwm-2chan to /boot/firmware/config.txt, then reboot",
    "iio": "add a line such as dtoverlay=mcp3008:spi0-0-present to /boot/firmware/config.txt, then reboot",
}

ELSEWHERE = "if this board has it, its overlay switches it on: docs/hardware.md, Boards"


def switch_on(kind: str, model: str) -> str:
    """What to type on a board of this model, to have a device file of this kind."""
    return RASPBERRY_PI[kind] if model.startswith("Raspberry Pi") else ELSEWHERE
