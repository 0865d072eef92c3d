"""What the data plane knows of one point: its equation, and how it is now."""

import re
from functools import lru_cache

from piio_bridge.equations import Equation
from piio_schemas.configuration import InputPoint, OutputPoint, Point
from piio_schemas.topics import BLOCK_RAW, BLOCK_VALUES, QUALITY, RAW, VALUE, Topic


def equation_of(text: str, names: frozenset[str]) -> Equation:
    """Return the compiled equation; points that share a text share the object, and so one evaluation."""
    return _compiled(text, names.intersection(_WORDS.findall(text)))


@lru_cache(maxsize=4096)
def _compiled(text: str, names: frozenset[str]) -> Equation:
    return Equation(text, names)


_WORDS = re.compile(r"[a-z]\w*")
"""What may be names in an equation: of others it does not matter whether they could be used."""


class PointState:
    """One point: what is fixed until the next configuration, and its last raw, value and quality."""

    __slots__ = (
        "agent", "applied_error", "block_topic", "channel_failed", "deadband", "dependencies", "doubted_at",
        "equation", "equation_error", "history", "inputs_lacking", "name", "published_at", "published_raw", "quality",
        "quality_topic", "raw", "raw_topic", "simple", "value", "value_topic", "values_topic",
    )  # fmt: skip

    def __init__(self, prefix: str, agent: str, name: str, point: Point, names: frozenset[str]) -> None:
        self.agent = agent
        self.name = name
        self.equation = equation_of(point.equation, names | {"x"}) if point.equation else None
        self.dependencies = tuple(sorted(self.equation.names - {"x"})) if self.equation else ()
        self.history = isinstance(point, OutputPoint) or point.history
        self.deadband = point.deadband if isinstance(point, InputPoint) else 0.0
        self.raw_topic = _channel_topic(RAW, prefix, agent, point)
        sampled = isinstance(point, InputPoint) and point.sample_rate is not None
        self.block_topic = _channel_topic(BLOCK_RAW, prefix, agent, point) if sampled else None
        self.values_topic = BLOCK_VALUES.at(prefix, agent=agent, point=name).encode() if sampled else b""
        self.value_topic = VALUE.at(prefix, agent=agent, point=name).encode()
        self.quality_topic = QUALITY.at(prefix, agent=agent, point=name).encode()
        self.simple = not self.dependencies and self.raw_topic is not None
        """Whether the value depends on the point's own channel alone."""
        self.raw: float | None = None
        self.value: float | None = None
        self.quality = ""
        self.published_raw: float | None = None
        self.published_at = 0.0
        self.doubted_at = 0.0
        self.channel_failed = False
        self.applied_error: str | None = None
        self.equation_error: str | None = None
        self.inputs_lacking = False

    @property
    def equation_text(self) -> str | None:
        """What its user wrote, None for the raw itself."""
        return self.equation.text if self.equation else None

    @property
    def lacking(self) -> bool:
        """Whether it has no value of now: what it keeps is of before."""
        return self.channel_failed or self.equation_error is not None or self.inputs_lacking


def _channel_topic(topic: Topic, prefix: str, agent: str, point: Point) -> bytes | None:
    if point.interface is None or point.channel is None:
        return None
    return topic.at(prefix, agent=agent, interface=point.interface, channel=point.channel).encode()
