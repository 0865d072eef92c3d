"""What a client is told of points and boards: frozen snapshots."""

from collections.abc import Iterable

from msgspec import Struct, field

from piio.errors import NotKnown
from piio_schemas.identifiers import IdentifierError, check_identity, check_point
from piio_schemas.states import GOOD, ONLINE


class Reading(Struct, frozen=True, kw_only=True):
    """A point at one moment."""

    board: str
    point: str
    value: float | None
    """In the point's unit; None: there never was one. A point that is not good keeps its last."""
    quality: str
    """`good`, or `stale: …` or `bad: …` with the reason."""
    unit: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """How people write the point: `demo/tank`."""
        return f"{self.board}/{self.point}"

    @property
    def good(self) -> bool:
        """Whether the value can be relied on now."""
        return self.quality == GOOD and self.value is not None


class Board(Struct, frozen=True, kw_only=True):
    """A board and its points at one moment."""

    name: str
    status: str
    """`online` or `offline`."""
    model: str = ""
    revision: int | None = None
    """Of the desired configuration."""
    points: dict[str, Reading] = field(default_factory=dict)

    @property
    def online(self) -> bool:
        """Whether the board can be reached."""
        return self.status == ONLINE


class Bucket(Struct, frozen=True, array_like=True):
    """A stretch of a point's history."""

    time: float
    """Unix seconds at which it begins."""
    min: float
    max: float
    mean: float


class History(list[Bucket]):
    """Stretches of a point's history by time; those in which nothing was kept are left out."""

    def __init__(self, buckets: Iterable[Bucket], gaps: Iterable[tuple[float, float]]) -> None:
        super().__init__(buckets)
        self.gaps = list(gaps)
        """From when to when, in Unix seconds, the value was not good: nobody knows what it was."""


def read_name(name: str) -> tuple[str, str]:
    """Split `demo/tank` into board and point; NotKnown for what cannot be one."""
    board, slash, point = name.partition("/")
    if not slash:
        raise NotKnown(f"'{name}' is not a point: write BOARD/POINT, such as demo/tank")
    try:
        return check_identity(board), check_point(point)
    except IdentifierError as error:
        raise NotKnown(f"there is no point '{name}': {error}") from error


def read_board(name: str) -> str:
    """Return the name of a board; NotKnown for what cannot be one."""
    try:
        return check_identity(name)
    except IdentifierError as error:
        raise NotKnown(f"there is no board '{name}': {error}") from error


def read_pattern(pattern: str) -> tuple[str, str]:
    """Split `demo/tank`, `demo/+`, `+/tank` or `demo` into board and point, where `+` is every one."""
    board, _, point = pattern.partition("/")
    point = point or "+"
    if board != "+":
        read_board(board)
    if point != "+":
        read_name(f"{'any' if board == '+' else board}/{point}")
    return board, point
