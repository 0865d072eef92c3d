"""What an installation is between two starts: its state folder, its identities, and the files for people's tools."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from msgspec import Struct

from piio.address import Address
from piio.errors import PiioError
from piio.local_socket import nearest
from piio.private_file import read_private, write_private
from piio_schemas.roles import Role

LOOPBACK = "127.0.0.1"

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  (asked for by name, never a default)

OPERATOR, VIEWER, ADMIN, SPARE = "operator", "viewer", "admin", "spare"

PEOPLE = {OPERATOR: Role.OPERATOR, VIEWER: Role.VIEWER, ADMIN: Role.ADMIN}
"""The people of a fresh installation."""


class NameTaken(PiioError, ValueError):
    """A board cannot be called like somebody else."""


class People(Protocol):
    """Of the command `piio user`, what an installation needs."""

    def ensure(self, state: Path, wanted: Mapping[str, Role]) -> None:
        """Make the identities that are missing, each with a password file in STATE/secrets."""


class Place(Struct, frozen=True):
    """Where an installation is reached this time."""

    listen: str
    """The address that the broker and the web app listen on."""
    mqtt_port: int
    web_port: int

    @property
    def everywhere(self) -> bool:
        """Whether every interface of the machine is listened on."""
        return self.listen in EVERYWHERE

    @property
    def broker_host(self) -> str:
        """The broker's address for programs on this machine, where it always listens too."""
        return self.listen if self.listen == "::1" or self.listen.startswith("127.") else LOOPBACK

    @property
    def web_host(self) -> str:
        """The web app's address for browsers on this machine."""
        return LOOPBACK if self.everywhere else self.listen

    @property
    def web_url(self) -> str:
        """The page's address, without a slash at the end."""
        host = f"[{self.web_host}]" if ":" in self.web_host else self.web_host
        return f"http://{host}:{self.web_port}"


class Installation:
    """A state folder and the names in it."""

    def __init__(self, state: Path, agent: str) -> None:
        self.state = state.absolute()
        self.agent = agent

    def ensure_identities(self) -> None:
        """Make who is missing: on the first run everybody, later nobody."""
        if self.agent in {*PEOPLE, SPARE}:
            raise NameTaken(f"'{self.agent}' is a name of this installation's own: choose another with --agent")
        people = cast(People, entry_points(group="piio.commands")["user"].load())
        people.ensure(self.state, {**PEOPLE, self.agent: Role.AGENT, SPARE: Role.AGENT})

    def secret(self, name: str) -> Path:
        """Return the file that holds the password of one of the installation's own names."""
        return self.state / "secrets" / f"{name}.password"

    def address(self, name: str, place: Place) -> Address:
        """Return how one of the installation's own names reaches the broker from this machine."""
        return Address(place.broker_host, place.mqtt_port, name, self._password(name))

    def local_address(self, name: str, place: Place) -> Address:
        """Return how a service on this machine reaches the broker: by its socket, if it has one."""
        address = self.address(name, place)
        near = nearest(address, self.state)
        return near if near.unix and Path(near.host).is_socket() else address

    def write_files(self, place: Place) -> None:
        """Write `env` and the option files of mosquitto_pub and mosquitto_sub."""
        variables = {
            "PIIO_URL": self.address(OPERATOR, place).url,
            "PIIO_VIEWER_URL": self.address(VIEWER, place).url,
            "PIIO_ADMIN_URL": self.address(ADMIN, place).url,
            "PIIO_AGENT_URL": self.address(SPARE, place).url,
            "PIIO_WEB_URL": place.web_url,
            "PIIO_WEB_USER": ADMIN,
            "PIIO_WEB_PASSWORD": self._password(ADMIN),
        }
        write_private(self.state / "env", "".join(f"{name}={value}\n" for name, value in variables.items()))
        options = self._mosquitto_options(self.address(OPERATOR, place))
        for program in ("mosquitto_pub", "mosquitto_sub"):
            write_private(self.state / program, options)

    def _password(self, name: str) -> str:
        return (read_private(self.secret(name)) or "").strip()

    @staticmethod
    def _mosquitto_options(address: Address) -> str:
        return f"-h {address.host}\n-p {address.port}\n-u {address.user}\n-P {address.password}\n"
