"""What the data plane knows of one board: its points, and whether it shows signs of life."""

from msgspec import Struct

from piio_bridge.data.point import PointState
from piio_bridge.equations import evaluation_order
from piio_schemas.beacons import Beacon, believed_for
from piio_schemas.configuration import Configuration
from piio_schemas.states import GOOD, Applied


class HeardBeacon(Struct, frozen=True):
    """The newest beacon of an agent on our present connection, and our boottime when it came."""

    beacon: Beacon
    at: float


class BoardState:
    """The points of one board, and whether its agent is heard; `dependents` are in the order of their computation."""

    def __init__(self, prefix: str, agent: str) -> None:
        self.prefix = prefix
        self.agent = agent
        self.points: dict[str, PointState] = {}
        self.dependents: list[PointState] = []
        self.heard: HeardBeacon | None = None
        self.seen_at: float | None = None
        """Our boottime of the newest beacon, whatever connection it came on."""
        self.online = False
        self.silence: str | None = f"no sign of life of {agent} yet"
        self._applied: Applied | None = None

    def configure(self, configuration: Configuration) -> dict[str, PointState]:
        """Take new points; returns those before, by name. States begin empty: the caller evaluates what it knows."""
        before = self.points
        names = frozenset(configuration.points)
        self.points = {
            name: PointState(self.prefix, self.agent, name, point, names - {name})
            for name, point in configuration.points.items()
        }
        order = evaluation_order({name: point.dependencies for name, point in self.points.items()})
        self.dependents = [self.points[name] for name in order if not self.points[name].simple]
        self.apply(self._applied)
        return before

    def apply(self, applied: Applied | None) -> None:
        """Take what the agent says of each point."""
        self._applied = applied
        for name, point in self.points.items():
            said = applied.points.get(name) if applied else None
            point.applied_error = (said.error or "the agent gives no reason") if said and not said.ok else None

    def judge_silence(self, now: float) -> None:
        """Judge whether the agent is heard: `silence` is the reason why not."""
        self.silence = self._silence(now)

    def _silence(self, now: float) -> str | None:
        if not self.online:
            return f"{self.agent} is offline"
        if self.heard is None:
            return f"no sign of life of {self.agent} yet"
        if now - self.heard.at > believed_for(self.heard.beacon.period):
            return f"three signs of life of {self.agent} are missing"
        return None

    def quality_of(self, point: PointState) -> str:
        """Return the quality a point deserves now."""
        if self.silence:
            return f"stale: {self.silence}"
        if point.applied_error:
            return f"bad: {point.applied_error}"
        if point.channel_failed:
            return "bad: the channel has failed"
        for name in point.dependencies:
            other = self.points[name].quality
            if other != GOOD:
                kind = other.partition(":")[0] or "stale"
                return f"{kind}: it depends on '{name}', which is {kind}"
        if point.equation_error:
            return f"bad: {point.equation_error}"
        return GOOD if point.value is not None and not point.inputs_lacking else "stale: no reading yet"
