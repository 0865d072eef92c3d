"""What a web app is told when it is started."""

from pathlib import Path

from msgspec import Struct

from piio.address import Address
from piio_schemas.topics import PREFIX


class Options(Struct, frozen=True, kw_only=True):
    """One web app: its broker, its folder and its door."""

    address: Address
    state: Path
    """The folder of its database and its session key."""
    listen: str = "127.0.0.1"
    port: int = 8080
    prefix: str = PREFIX
    displays: Path | None = None
    """A folder of more displays, beside those that come with the web app."""
    database: str | None = None
    """A database's URL; None: SQLite in the state folder."""
    message_queue: str | None = None
    """Redis's URL, where several web apps stand behind one address."""
    session_key: Path | None = None
    """The file of the key that signs sessions, the same for all of them; None: a key of its own."""
    proxies: int = 0
    """Reverse proxies in front, whose word on the browser's address and scheme is taken."""
    first_user: str = ""
    first_token: str = ""
    """Opens the first log-in of `first_user`, once; empty: no such link."""
