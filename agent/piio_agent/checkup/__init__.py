"""What `piio doctor` says about a board's hardware; no line is taken, and no device is told anything."""

from collections.abc import Iterable

from piio.checkup import Finding, Scope
from piio_agent.checkup import drivers, gpio, i2c, iio, interfaces, pwm, spi


def checkup(scope: Scope) -> Iterable[Finding]:
    """Look at the drivers, at what this machine has for them, and at each interface of an agent's file."""
    yield from drivers.findings(scope)
    for kind in (gpio, spi, i2c, pwm, iio):
        yield from kind.findings()
    if scope.config:
        yield from interfaces.findings(scope.config, scope.folders)
