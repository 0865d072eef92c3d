"""Which broker a command talks to, and as whom."""

import argparse
import os
from pathlib import Path

from piio.address import Address, read_address
from piio.client import Client
from piio.errors import AddressError

ENV_FILE = Path("var/env")
"""What `piio up` writes, seen from the folder it was started in."""

EPILOG = """broker: --url, else $PIIO_URL, else what ./var/env (of `piio up`) says.
--json prints one JSON document."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say where the broker is."""
    group = parser.add_argument_group("broker")
    group.add_argument("--url", help="mqtt://user:password@host:port (default: $PIIO_URL, else from DIR/env)")
    group.add_argument("--state", metavar="DIR", type=Path, help="the folder of `piio up` (default: ./var)")
    group.add_argument("--ca-file", metavar="FILE", help="whose certificates to trust for mqtts://")


def connect(args: argparse.Namespace, *, admin: bool = False, timeout: float = 5.0) -> Client:
    """Connect as the arguments say, as an admin where one is wanted; AddressError or NotConnected say why not."""
    client = Client(address(args, admin=admin))
    client.open(timeout)
    return client


def address(args: argparse.Namespace, *, admin: bool = False) -> Address:
    """Return the broker's address; AddressError says what to type where nothing tells it."""
    if args.ca_file and not Path(args.ca_file).is_file():
        raise AddressError(f"the certificates in {args.ca_file} cannot be read: there is no such file")
    return read_address(_url(args, ["PIIO_ADMIN_URL", "PIIO_URL"] if admin else ["PIIO_URL"]), ca_file=args.ca_file)


def _url(args: argparse.Namespace, names: list[str]) -> str:
    if args.url:
        return str(args.url)
    file = args.state / "env" if args.state else ENV_FILE
    sources = [_env_file(file)] if args.state else [dict(os.environ), _env_file(file)]
    for source in sources:
        for name in names:
            if source.get(name):
                return source[name]
    raise AddressError(f"which broker? There is no {file}: start `piio up` here, set PIIO_URL, or say --url mqtt://…")


def _env_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AddressError(f"{path} cannot be read: {error.strerror}") from error
    return dict(line.split("=", 1) for line in lines if "=" in line)
