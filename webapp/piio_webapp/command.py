"""`piio webapp`: serve browsers."""

import argparse
import logging
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from piio.address import read_address
from piio.errors import PiioError
from piio_schemas.topics import PREFIX
from piio_webapp import message_queue
from piio_webapp.options import Options
from piio_webapp.people import DATABASE

log = logging.getLogger(__name__)

HELP = "serve browsers: boards live, and their configuration"


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--url",
        default=os.environ.get("PIIO_URL"),
        help="mqtt://user@host:port, mqtts://…, or mqtt+unix://user@/path ($PIIO_URL)",
    )
    parser.add_argument("--password-file", type=Path, help="a file with the password, instead of $PIIO_PASSWORD")
    parser.add_argument("--ca-file", help="the certificate authority of a broker with TLS")
    parser.add_argument("--state", type=Path, default=Path("var"), help="its folder (default: var)")
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0: any free one (default: 8080)")
    parser.add_argument("--prefix", default=PREFIX, help=f"the topics' first level (default: {PREFIX})")
    parser.add_argument("--displays-dir", type=Path, help="a folder of more displays")
    parser.add_argument("--proxies", type=int, default=0, help="how many reverse proxies stand in front (default: 0)")
    parser.add_argument("--database", help=f"a database's URL instead of SQLite in the folder (${DATABASE})")
    several = parser.add_argument_group("several web apps behind one address (docs/scaling.md)")
    several.add_argument(
        "--message-queue", metavar="URL", help=f"Redis between them, redis://host:6379/0 (${message_queue.VARIABLE})"
    )
    several.add_argument(
        "--session-key",
        type=Path,
        metavar="FILE",
        help="one key for all: a copy of the first one's webapp.key",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; 1 when it cannot begin."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        options = _options(arguments)
        from piio_webapp.server import served
        from piio_webapp.tables import opened

        opened(options.state, options.database).dispose()  # says what is wrong before a worker is made
        if options.message_queue:
            trouble = message_queue.MessageQueue(options.message_queue).trouble()
            if trouble:
                log.warning("%s; until then each web app counts wrong log-ins alone", trouble)
        served(options)
    except PiioError as error:
        print(f"piio webapp: {error}", file=sys.stderr)
        return 1
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    if not arguments.url:
        raise PiioError("say which broker: --url mqtt://user:password@host:port, or $PIIO_URL")
    if arguments.displays_dir and not arguments.displays_dir.is_dir():
        raise PiioError(f"there is no folder {arguments.displays_dir}: make it, or leave --displays-dir out")
    return Options(
        address=read_address(arguments.url, arguments.password_file, arguments.ca_file),
        state=arguments.state,
        listen=arguments.listen,
        port=arguments.port,
        prefix=arguments.prefix,
        displays=arguments.displays_dir,
        database=_server(arguments.database, DATABASE),
        message_queue=_server(arguments.message_queue, message_queue.VARIABLE),
        session_key=arguments.session_key,
        proxies=arguments.proxies,
        first_user=os.environ.get("PIIO_WEB_USER", ""),
        first_token=os.environ.pop("PIIO_FIRST_TOKEN", ""),
    )


def _server(given: str | None, variable: str) -> str | None:
    """Return a server's URL, from its variable unless it was given; PiioError for a password among the arguments."""
    if given and urlsplit(given).password:
        raise PiioError(f"everybody on this machine can read arguments: put the URL with the password into ${variable}")
    return given or os.environ.get(variable) or None
