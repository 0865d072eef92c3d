"""Which broker a command talks to, and as whom."""

import argparse
from pathlib import Path

from piio.address import Address, read_address
from piio.client import Client
from piio.default_url import ADMIN, ANYBODY, default_url
from piio.errors import AddressError


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
    url = args.url or default_url(ADMIN if admin else ANYBODY, args.state)
    return read_address(url, ca_file=args.ca_file)
