"""Where a broker is and who we are to it: `mqtt://user:password@host:port`, or `mqtt+unix://user:password@/path`."""

import os
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from piio.errors import AddressError

PORTS = {"mqtt": 1883, "mqtts": 8883}

UNIX = "mqtt+unix"
"""The scheme of a broker on our own machine that listens on a socket file."""


class Address(Struct, frozen=True):
    """A broker, and the identity used there."""

    host: str
    """Its name or number in the network, or the path of its socket."""
    port: int = PORTS["mqtt"]
    user: str = ""
    password: str = ""
    tls: bool = False
    ca_file: str | None = None
    """The certificate authority's file; None: the system's."""
    unix: bool = False
    """`host` is the path of a socket."""

    @property
    def transport(self) -> Literal["tcp", "unix"]:
        """How it is reached, as paho calls it."""
        return "unix" if self.unix else "tcp"

    @property
    def url(self) -> str:
        """The address with its password."""
        return self._url(f":{quote(self.password, safe='')}" if self.password else "")

    def __repr__(self) -> str:
        """The address without its password: what logs show."""
        return self._url("")

    def _url(self, secret: str) -> str:
        who = f"{quote(self.user, safe='')}{secret}@" if self.user else ""
        if self.unix:
            return f"{UNIX}://{who}{quote(self.host)}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{who}{host}:{self.port}"


def read_address(url: str, password_file: Path | None = None, ca_file: str | None = None) -> Address:
    """Read a URL; the password may stand in a file, or in $PIIO_PASSWORD, instead. AddressError says what is wrong."""
    parts = urlsplit(url)
    if parts.scheme == UNIX and parts.path.startswith("/") and not parts.hostname:
        secret = _password(unquote(parts.password or ""), password_file)
        return Address(host=unquote(parts.path), user=unquote(parts.username or ""), password=secret, unix=True)
    if parts.scheme not in PORTS or not parts.hostname:
        raise AddressError(
            f"'{_without_password(url)}' is not mqtt://user:password@host:port (or mqtts://…, mqtt+unix://user:password@/path)"
        )
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise AddressError(f"'{_without_password(url)}': the port is not a number from 1 to 65535") from error
    return Address(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=_password(unquote(parts.password or ""), password_file),
        tls=parts.scheme == "mqtts",
        ca_file=ca_file,
    )


def _password(in_url: str, file: Path | None) -> str:
    if in_url:
        return in_url
    if file is None:
        return os.environ.get("PIIO_PASSWORD", "")
    try:
        return file.read_text().strip()
    except OSError as error:
        raise AddressError(f"the password file {file} cannot be read: {error.strerror}") from error


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else url
