"""What the data plane knows of one channel: its raw, and the points that read it."""

from piio_bridge.data.point import PointState


class Channel:
    """One topic of raws: the last raw (None: failed, or never heard), and its points."""

    __slots__ = ("heard", "points", "raw", "ripples")

    def __init__(self) -> None:
        self.points: tuple[PointState, ...] = ()
        self.raw: float | None = None
        self.heard = False
        self.ripples = False
        """Whether other points may follow the value of one of these."""
