"""What an installation is between two starts: its state folder, its identities, and the files for people's tools."""

from pathlib import Path

from msgspec import Struct

from piio.address import Address
from piio.private_file import StateError, read_private, write_private
from piio_mosquitto.configuration import Listener
from piio_mosquitto.folder import BrokerFolder
from piio_mosquitto.password import new_password
from piio_mosquitto.user_command import add_identity, change_identity
from piio_schemas.roles import Role

OPERATOR, VIEWER, ADMIN, SPARE = "operator", "viewer", "admin", "spare"

PEOPLE = {OPERATOR: Role.OPERATOR, VIEWER: Role.VIEWER, ADMIN: Role.ADMIN}
"""The people of a fresh installation."""


class Place(Struct, frozen=True):
    """Where an installation is reached this time."""

    listener: Listener
    """The broker's."""
    web_host: str
    """The address that browsers on this machine use."""
    web_port: int

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
        self.broker = BrokerFolder(self.state)

    def ensure_identities(self) -> None:
        """Make who is missing: on the first run everybody, later nobody."""
        self.broker.ensure_services()
        for name, role in {**PEOPLE, self.agent: Role.AGENT, SPARE: Role.AGENT}.items():
            self._ensure(name, role)

    def _ensure(self, name: str, role: Role) -> None:
        with self.broker.identities() as identities:
            there = name in identities
            if there and identities[name].role not in (role, *(PEOPLE.values() if name in PEOPLE else ())):
                raise StateError(f"'{name}' is {identities[name].role} here: choose another name with --agent")
        file = self.broker.secret(name)
        if there and read_private(file):
            return
        # The secret is written last: an interrupted first run begins anew with this one.
        password = new_password()
        if there:
            change_identity(self.broker, name, role, password)
        else:
            add_identity(self.broker, name, role, password)
        write_private(file, password + "\n")

    def address(self, name: str, place: Place) -> Address:
        """Return how one of the installation's own names reaches the broker from this machine."""
        return Address(place.listener.local, place.listener.port, name, self._password(name))

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
        return (read_private(self.broker.secret(name)) or "").strip()

    @staticmethod
    def _mosquitto_options(address: Address) -> str:
        return f"-h {address.host}\n-p {address.port}\n-u {address.user}\n-P {address.password}\n"
