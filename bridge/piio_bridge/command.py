"""`piio bridge`: applies equations, owns configuration and history."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any

from piio.address import read_address
from piio_bridge.bridge import Settings, serve
from piio_bridge.store.database import DatabaseError
from piio_bridge.store.retention import Keeping
from piio_schemas.topics import PREFIX

DATABASE = "PIIO_BRIDGE_DATABASE"
"""The variable that names another database than the state folder's."""

HELP = "apply equations, own configuration and history"


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    where = "mqtt://user@host:port, mqtts://…, or mqtt+unix://user@/path of a broker's socket file (default: $PIIO_URL)"
    parser.add_argument("--url", default=os.environ.get("PIIO_URL"), help=where)
    parser.add_argument("--password-file", type=Path, help="file with the password (default: $PIIO_PASSWORD)")
    parser.add_argument("--ca-file", help="certificate authority of the broker, for mqtts://")
    parser.add_argument("--state", type=Path, default=Path("var"), help="folder of its database (default: ./var)")
    parser.add_argument(
        "--database",
        default=os.environ.get(DATABASE),
        help=f"database URL, e.g. postgresql://piio@host/piio (default: ${DATABASE}, or SQLite in STATE/bridge.db)",
    )
    parser.add_argument("--prefix", default=PREFIX, help="first level of all topics (default: %(default)s)")
    parser.add_argument(
        "--no-plain-sets", action="store_true", help="take only sets that echo a beacon (for clustered brokers)"
    )
    _keeping(parser.add_argument_group("history"))


def _keeping(group: Any) -> None:
    kept = Keeping()
    group.add_argument(
        "--history-days", type=_above_zero, default=kept.days, metavar="DAYS",
        help="how long every value is kept (default: %(default)g)",
    )  # fmt: skip
    group.add_argument(
        "--history-values", type=_above_zero, default=kept.most_values, metavar="COUNT",
        help="how many values are kept at most, of all points together; the oldest go (default: %(default)d)",
    )  # fmt: skip
    group.add_argument(
        "--summary-days", type=_above_zero, default=kept.summary_days, metavar="DAYS",
        help="how long least, greatest and mean value of each minute are kept; each hour's ten times as long "
        "(default: %(default)g)",
    )  # fmt: skip


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e12:
        raise argparse.ArgumentTypeError(f"{text} is not a number above zero")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    if not arguments.url:
        print("piio bridge: give the broker's address: --url mqtt://bridge@host:port", file=sys.stderr)
        return 2
    settings = Settings(
        address=read_address(arguments.url, arguments.password_file, arguments.ca_file),
        database=arguments.database or Settings.default_database(arguments.state),
        prefix=arguments.prefix,
        plain_sets=not arguments.no_plain_sets,
        keeping=Keeping(arguments.history_days, int(arguments.history_values), arguments.summary_days),
    )
    try:
        asyncio.run(serve(settings))
    except DatabaseError as error:
        print(f"piio bridge: {error}", file=sys.stderr)
        return 1
    return 0
