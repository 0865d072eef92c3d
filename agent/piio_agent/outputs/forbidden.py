"""What a policy answers that does not let an output do something."""

import math

from piio_schemas.commands import Rule


class Forbidden(ValueError):
    """A policy does not let the output do it now; the text names the policy and says until when or why."""

    def __init__(self, rule: Rule, why: str) -> None:
        super().__init__(f"{rule}: {why}")
        self.rule: Rule = rule
        self.why = why


class Interlocked(Forbidden):
    """Another output of the group is on, or was on a moment ago."""

    def __init__(self, group: str, why: str) -> None:
        super().__init__("interlock", why)
        self.args = (f"interlock '{group}': {why}",)


def passed(seconds: float) -> str:
    """Return tenths of seconds that have passed in full: what is short of its time never looks complete."""
    return f"{max(0, math.floor(round(seconds * 10, 6))) / 10:.1f}"
