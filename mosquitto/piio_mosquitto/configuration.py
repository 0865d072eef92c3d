"""Mosquitto's configuration file, and what every line of it is for."""

from pathlib import Path

from msgspec import Struct

from piio_schemas.documents import LARGEST

LOOPBACK = "127.0.0.1"

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  (asked for by name, never a default)


class Listener(Struct, frozen=True):
    """Where the broker listens."""

    address: str
    port: int

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every interface of the machine."""
        return self.address in EVERYWHERE

    @property
    def local(self) -> str:
        """The address that programs on this machine use."""
        return self.address if self.address == "::1" or self.address.startswith("127.") else LOOPBACK

    @property
    def addresses(self) -> list[str]:
        """Every address to bind: one interface's, and always our own machine's."""
        return [self.address] if self.everywhere else sorted({self.address, self.local})


LOCAL = """\
# The services on this machine reach it here: nearly a third less work for it with each message.
listener 0 {path}

"""

TEMPLATE = """\
# Made by `piio broker` at every start; what is written here by hand is lost.
{listeners}
# Without it one hop takes 22 to 45 ms instead of 0.1.
set_tcp_nodelay true

# Nobody is anonymous; who may what is made from the roles.
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/access

# A message may have 64 KB. Queues are bounded: one slow reader must not eat the machine.
message_size_limit {largest}
max_inflight_messages 100
max_queued_messages 100000

# What is retained survives a restart. Nobody relies on it: the bridge and the agents say anew what they own.
persistence true
persistence_location {folder}/
autosave_interval 60

log_dest stderr
log_timestamp false
log_type error
log_type warning
log_type notice
log_type information
connection_messages false
"""


def configuration_file(folder: Path, listener: Listener, user: str | None = None, local: Path | None = None) -> str:
    """Return the text of mosquitto.conf for a broker that lives in `folder`; `local` is a socket for this machine.

    Started as root, Mosquitto becomes another user, who may not read what only we read, unless `user` names us.
    """
    listeners = LOCAL.format(path=local) if local else ""  # first: who sees the port open may use it, too
    listeners += "\n".join(f"listener {listener.port} {address}".rstrip() for address in listener.addresses)
    text = TEMPLATE.format(listeners=listeners, folder=folder, largest=LARGEST)
    return text + (f"\nuser {user}\n" if user else "")
