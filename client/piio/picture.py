"""The picture of all boards that retained topics paint, as heard on one connection. No I/O, no clock."""

from typing import Any

from piio.reading import Board, Reading
from piio_schemas import topics
from piio_schemas.documents import DocumentError, read_json
from piio_schemas.numbers import number_from_text
from piio_schemas.states import OFFLINE


class Picture:
    """What the broker has told of every board; its owner sees to it that one thread at a time uses it."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.capabilities: dict[str, dict[str, Any]] = {}
        self.configurations: dict[str, dict[str, Any]] = {}
        self.applied: dict[str, dict[str, Any]] = {}
        self._values: dict[tuple[str, str], float] = {}
        self._qualities: dict[tuple[str, str], str] = {}

    def hear(self, row: topics.Topic, levels: dict[str, str], payload: bytes) -> tuple[str, str] | None:
        """Take in one message; returns the board and point whose reading it changed. ValueError if it is malformed."""
        if row is topics.VALUE or row is topics.QUALITY:
            name = (levels["agent"], levels["point"])
            if row is topics.VALUE:
                _keep(self._values, name, number_from_text(payload) if payload else None)
            else:
                _keep(self._qualities, name, payload.decode("utf-8", "replace") or None)
            return name
        if row is topics.STATUS:
            _keep(self.statuses, levels["agent"], payload.decode("utf-8", "replace") or None)
        elif row is topics.CONFIG:
            _keep(self.configurations, levels["agent"], _object(payload))
        elif row is topics.APPLIED:
            _keep(self.applied, levels["agent"], _object(payload))
        elif row is topics.CAPABILITIES:
            _keep(self.capabilities, levels["agent"], _object(payload))
        return None

    def boards(self) -> list[str]:
        """The boards there are, by name."""
        return sorted(self.statuses.keys() | self.configurations.keys() | self.capabilities.keys())

    def points(self, board: str) -> list[str]:
        """The points of a board: as configured, then what has a value or a quality all the same."""
        told = {point for of, point in self._values.keys() | self._qualities.keys() if of == board}
        configured = list(self._configured(board))
        return configured + sorted(told - set(configured))

    def told(self, board: str, point: str) -> bool:
        """Whether anybody has said how good a point is."""
        return (board, point) in self._qualities

    def reading(self, board: str, point: str, doubt: str = "") -> Reading:
        """The point now; a `doubt` about all that we are told makes everything stale."""
        name = (board, point)
        configured = self._configured(board).get(point)
        told = configured if isinstance(configured, dict) else {}
        quality = self._qualities.get(name, "stale: nothing has been read yet")
        return Reading(
            board=board,
            point=point,
            value=self._values.get(name),
            quality=f"stale: {doubt}" if doubt else quality,
            unit=str(told.get("unit", "")),
            label=str(told.get("label", "")),
        )

    def board(self, name: str, doubt: str = "") -> Board:
        """The board now, with all its points."""
        model = self.capabilities.get(name, {}).get("board", {}).get("model", "")
        return Board(
            name=name,
            status=self.statuses.get(name, OFFLINE),
            model=str(model),
            revision=self.configurations.get(name, {}).get("revision"),
            points={point: self.reading(name, point, doubt) for point in self.points(name)},
        )

    def _configured(self, board: str) -> dict[str, Any]:
        points = self.configurations.get(board, {}).get("points")
        return points if isinstance(points, dict) else {}


def _keep(store: dict[Any, Any], key: Any, value: Any) -> None:
    """Remember a state; None (an empty retained message) forgets it."""
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


def _object(payload: bytes) -> dict[str, Any] | None:
    if not payload:
        return None
    document = read_json(payload)
    if not isinstance(document, dict):
        raise DocumentError("Expected an object")
    return document
