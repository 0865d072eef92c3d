"""The client: what a script imports to see and drive the points of all boards."""

import builtins
import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from piio.address import Address, read_address
from piio.connection import Connection
from piio.default_url import default_url
from piio.errors import NotConnected, NotKnown
from piio.keeper import Keeper
from piio.picture import Picture
from piio.reading import Board, History, Reading, read_board, read_name, read_pattern
from piio.requests import Requests
from piio.session import Session
from piio.setting import Wish, carry_out
from piio.stopping import Stopped
from piio.stopping import carry_out as carry_out_stop
from piio.watch import Watch
from piio_schemas import topics
from piio_schemas.audit import AuditEntry
from piio_schemas.commands import DEFAULT_TTL, SetResult
from piio_schemas.documents import encode
from piio_schemas.requests import LEASE, LEASE_RENEWED, ConfigurationAnswer, Revision, ViewersLease

FIRST_READING = 2.0
"""Seconds to wait for the first reading of a point that has just been configured."""


class Client:
    """A connection to all boards of one broker, kept up until it is closed; any thread may use it.

    Nothing waits for a broker that is away: what cannot be done now fails now.
    """

    def __init__(self, address: Address, prefix: str = topics.PREFIX) -> None:
        self.address = address
        self._prefix = prefix
        self._session: Session | None = None
        self._next: Session | None = None
        self._served = threading.Event()
        self._watches: tuple[Watch, ...] = ()
        self._leased_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._keeper = Keeper(self._make, self._serve)

    def open(self, timeout: float = 10.0) -> None:
        """Connect; NotConnected says who refused and why."""
        self._next = self._session_to_come()
        self._next.connection.open(timeout)
        self._keeper.start()
        if not self._served.wait(timeout):
            self.close()
            raise NotConnected(f"the connection to {self.address} was lost at once")

    def close(self) -> None:
        """Say goodbye; closing twice is fine."""
        self._keeper.stop()
        for watch in self._watches:
            watch.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether there is a broker at the other end now."""
        session = self._session
        return session is not None and session.connection.connected

    def hear_bridge(self) -> None:
        """Wait for a beacon of the bridge; NoAnswer if it is not there."""
        self._up().echo()

    def boards(self) -> list[Board]:
        """Return every board with its points."""
        session = self._heard(topics.CAPABILITIES.every(self._prefix), *self._filters("+", "+"))
        return cast(
            list[Board],
            session.look(lambda picture, doubt: [picture.board(name, doubt) for name in picture.boards()]),
        )

    def board(self, name: str) -> Board:
        """Return one board with its points; NotKnown if nobody told of it."""
        board = read_board(name)
        session = self._heard(topics.CAPABILITIES.at(self._prefix, agent=board), *self._filters(board, "+"))
        if board not in session.look(lambda picture, _: picture.boards()):
            raise NotKnown(f"there is no board '{board}' at {self.address}: `piio ls` lists them")
        return cast(Board, session.look(lambda picture, doubt: picture.board(board, doubt)))

    def read(self, name: str) -> Reading:
        """Return what a point such as `demo/tank` is now; NotKnown if there is none."""
        board, point = read_name(name)
        session = self._heard(*self._filters(board, point))
        if board not in session.look(lambda picture, _: picture.boards()):
            raise NotKnown(f"there is no board '{board}' at {self.address}: `piio ls` lists them")
        points = session.look(lambda picture, _: picture.points(board))
        if point not in points:
            raise NotKnown(f"'{board}' has no point '{point}'; it has {', '.join(points) or 'none yet'}")
        session.wait_until(lambda picture: picture.told(board, point), FIRST_READING)
        return cast(Reading, session.look(lambda picture, doubt: picture.reading(board, point, doubt)))

    def watch(self, *patterns: str) -> Watch:
        """Return an iterator of readings, the present ones first: `demo/tank`, `demo/+`, `+/tank`, `demo`, `+/+`."""
        watch = Watch([read_pattern(pattern) for pattern in patterns], self._refresh, self._forget_watch)
        self._up().want(self._watched(watch))
        with self._lock:
            self._watches = (*self._watches, watch)
        self._refresh(watch)
        return watch

    def set(
        self,
        name: str,
        value: float | bool | str,
        *,
        pulse: float | None = None,
        ttl: float = DEFAULT_TTL,
        timeout: float | None = None,
    ) -> SetResult:
        """Ask a point for a value and wait for what becomes of it: `result.done`, or its `status` and `reason`.

        It acts within `ttl` seconds or never, and is never sent while the broker or the bridge is away. `pulse`:
        seconds until the board itself returns to the value before. `timeout` bounds the whole call, and `ttl` with it.
        ValueError for what is no set at all.
        """
        board, point = read_name(name)
        wish = Wish(board=board, point=point, value=value, ttl=ttl, pulse=pulse, by=self.address.user or None)
        wish.check()
        try:
            return carry_out(self._up(), wish, timeout)
        except NotConnected as error:
            return SetResult(id="", status="failed", reason=str(error))

    def stop(self, board: str | None = None, *, timeout: float = 5.0) -> list[Stopped]:
        """Drive all outputs of a board, or of every board, where they are safe until a new set; operators may.

        Returns what each board has said of it by `timeout` seconds: `done`, or which outputs are `left`, and which
        boards are not `online`. It needs no bridge. NotAllowed, NoAnswer and NotConnected: it went nowhere.
        """
        name = None if board is None else read_board(board)
        return carry_out_stop(self._up(), name, self.address.user or None, timeout)

    def configuration(self, board: str) -> dict[str, Any]:
        """Return the desired configuration of a board as it was published; NotKnown if there is none."""
        name = read_board(board)
        session = self._heard(*self._filters(name, "+")[:2])
        document = session.look(lambda picture, _: picture.configurations.get(name))
        if document is None:
            raise NotKnown(f"there is no configuration of a board '{name}' at {self.address}: `piio ls` lists boards")
        return cast(dict[str, Any], document)

    def configure(
        self,
        board: str,
        patch: Mapping[str, Any] | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        base_revision: int | None = None,
    ) -> ConfigurationAnswer:
        """Change points and displays by a merge patch (RFC 7396), or replace them all by `config`; admins may.

        With `base_revision` it is refused when somebody else was faster. The answer's `errors` name each path.
        """
        return self._requests().configure(board, patch, config, base_revision)

    def restore(self, board: str, revision: int) -> ConfigurationAnswer:
        """Make an old revision the newest; admins may."""
        return self._requests().restore(board, revision)

    def copy(self, board: str, to: str) -> ConfigurationAnswer:
        """Carry a board's configuration to another board; admins may."""
        return self._requests().copy(board, to)

    def forget(self, board: str) -> None:
        """Remove an offline board with all that is retained of it; admins may."""
        self._requests().forget(board)

    def revisions(self, board: str) -> list[Revision]:
        """Return the revisions of a board's configuration, newest first."""
        return self._requests().revisions(board)

    def history(self, name: str, start: float | None = None, end: float | None = None, buckets: int = 200) -> History:
        """Return least, greatest and mean value of a point between two Unix times, in at most 1,000 buckets.

        Its `gaps` are where the value was not good, as far as they show between buckets.
        """
        return self._requests().history(name, start, end, buckets)

    def audit(
        self,
        board: str | None = None,
        *,
        start: float | None = None,
        end: float | None = None,
        point: str | None = None,
        person: str | None = None,
        limit: int | None = 100,
    ) -> tuple[list[AuditEntry], int]:
        """Return who asked what and what became of it, newest first, and how many entries the bridge lost.

        Of a board or of all, between two Unix times; `limit` None: all there are. Operators may.
        """
        requests = self._requests()
        return requests.audit(board, start=start, end=end, point=point, person=person, limit=limit)

    def preview(
        self, equation: str, x: Sequence[float], names: Mapping[str, float] | None = None
    ) -> list[float | None]:
        """Return an equation's values at some raws; RequestFailed says what is wrong with it and in which column."""
        return self._requests().preview(equation, x, names or {})

    def _requests(self) -> Requests:
        return Requests(self._up(), self.address.user or None)

    def _up(self) -> Session:
        session = self._session
        if session is None or not session.connection.connected:
            raise NotConnected(f"not connected to {self.address}: nothing was sent")
        return session

    def _heard(self, *filters: str) -> Session:
        session = self._up()
        session.want(filters)
        session.hear_bridge()
        return session

    def _filters(self, board: str, point: str) -> tuple[str, ...]:
        """What tells of a board's status and configuration, then of points."""
        return (
            topics.STATUS.at(self._prefix, agent=board),
            topics.CONFIG.at(self._prefix, agent=board),
            topics.VALUE.at(self._prefix, agent=board, point=point),
            topics.QUALITY.at(self._prefix, agent=board, point=point),
        )

    def _watched(self, watch: Watch) -> list[str]:
        return [filter for board, point in watch.patterns for filter in self._filters(board, point)]

    def _make(self) -> Connection:
        session, self._next = self._next or self._session_to_come(), None
        self._coming = session
        return session.connection

    def _serve(self, _: Connection) -> None:
        session = self._coming
        session.greet()
        self._session = session
        self._served.set()
        self._leased_at.clear()
        for watch in self._watches:
            session.want(self._watched(watch))
            self._refresh(watch)

    def _session_to_come(self) -> Session:
        return Session(self.address, self._prefix, self._changed, self._lost)

    def _lost(self) -> None:
        """Runs on the network thread: tell every watch that nothing can be relied on, however short it lasts."""
        for watch in self._watches:
            self._refresh(watch)

    def _changed(self, name: tuple[str, str]) -> None:
        """Runs on the network thread: hand a changed reading to those who watch it."""
        session = self._session
        watches = [watch for watch in self._watches if watch.wants(*name)]

        def offer(picture: Picture, doubt: str) -> None:
            for watch in watches:
                watch.offer([picture.reading(*name, doubt)])

        if session and watches:
            session.look(offer)

    def _refresh(self, watch: Watch) -> None:
        """Tell a watch what its points are now, and the boards that somebody looks."""
        session = self._session
        if session is None:
            return

        def offer(picture: Picture, doubt: str) -> builtins.set[str]:
            # Offered while the picture stands still: an older reading must not overtake a newer one.
            boards = [picture.board(name, doubt) for name in picture.boards()]
            points = [point for board in boards for point in board.points.values()]
            watched = [point for point in points if watch.wants(point.board, point.point)]
            watch.offer(watched)
            return {point.board for point in watched}

        self._lease(session, session.look(offer))

    def _lease(self, session: Session, boards: Iterable[str]) -> None:
        for board in boards:
            now = time.monotonic()
            if now - self._leased_at.get(board, -math.inf) >= LEASE_RENEWED and session.connection.connected:
                self._leased_at[board] = now
                topic = topics.VIEWERS.at(self._prefix, agent=board, user=self.address.user or "anonymous")
                session.connection.publish(topic, encode(ViewersLease(LEASE)))

    def _forget_watch(self, watch: Watch) -> None:
        with self._lock:
            self._watches = tuple(other for other in self._watches if other is not watch)


def connect(
    url: str | None = None,
    *,
    prefix: str = topics.PREFIX,
    password_file: Path | None = None,
    ca_file: str | None = None,
    timeout: float = 10.0,
) -> Client:
    """Connect to `mqtt://user:password@host:port` (or `mqtts://…`); NotConnected says who refused and why.

    Without a URL, to what $PIIO_URL says, else to the installation that `piio up` made in ./var.
    """
    client = Client(read_address(url or default_url(), password_file, ca_file), prefix)
    client.open(timeout)
    return client
