"""`piio up`: everything on one machine."""

import argparse
import logging
import os
import secrets
from pathlib import Path

from piio.child import block_signals
from piio.lock import FileLock
from piio.private_file import make_private_folder
from piio.up.greeting import say
from piio.up.installation import LOOPBACK, Installation, Place
from piio.up.ports import check_address, choose_port
from piio.up.run import Run
from piio.up.supervisor import tell

HELP = """start everything: broker, bridge, web app and an agent; Ctrl-C stops it

  piio up                       a simulated board where there is no hardware
  piio up --listen 0.0.0.0      let other machines in, then: piio user add bench1 --role agent --toml
"""

MQTT_PORT = 1883
WEB_PORT = 8080


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--state", type=Path, default=Path("var"), metavar="DIR", help="state folder (default ./var)")
    parser.add_argument("--mqtt-port", type=int, metavar="PORT", help="default 1883 or the next free one; 0: any")
    parser.add_argument("--web-port", type=int, metavar="PORT", help="default 8080 or the next free one; 0: any")
    parser.add_argument("--agent", default="demo", metavar="NAME", help="the board's name (default demo)")
    parser.add_argument("--simulate", action="store_true", help="a simulated board, even where there is hardware")
    parser.add_argument("--listen", default=LOOPBACK, metavar="ADDRESS", help="0.0.0.0: everywhere (default 127.0.0.1)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="what hardware the board has (agent.toml)")
    parser.add_argument(
        "--interfaces-dir", type=Path, action="append", default=[], metavar="DIR", help="a folder with more drivers"
    )
    parser.add_argument("--displays-dir", type=Path, metavar="DIR", help="a folder with more displays")
    parser.add_argument("--no-open", action="store_true", help="open no browser")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM; 1 when the installation cannot be started."""
    block_signals()
    os.umask(0o077)  # whatever a service writes is for its owner alone
    logging.basicConfig(level=logging.ERROR, format="piio up: %(message)s")
    make_private_folder(args.state)
    busy = f"PiIO is running in {args.state} already: stop it first, or choose another --state"
    with FileLock(args.state / "up.lock", busy=busy):
        place = _place(args)
        installation = Installation(args.state, args.agent)
        installation.ensure_identities()
        installation.write_files(place)
        simulated = args.simulate or not (args.config or any(Path("/dev").glob("gpiochip*")))
        if simulated and not args.simulate:
            say("No hardware here: the board is simulated.")
        run = Run(installation, place, simulated, secrets.token_urlsafe(24), _passed_on(args))
        return run.run(open_browser=not args.no_open)


def _passed_on(args: argparse.Namespace) -> dict[str, list[str]]:
    """Return what is the agent's and the web app's to understand."""
    agent = [word for folder in args.interfaces_dir for word in ("--interfaces-dir", str(folder.absolute()))]
    if args.config:
        agent += ["--config", str(args.config.absolute())]
    webapp = ["--displays-dir", str(args.displays_dir.absolute())] if args.displays_dir else []
    return {"agent": agent, "webapp": webapp}


def _place(args: argparse.Namespace) -> Place:
    check_address(args.listen)
    mqtt_port = choose_port(args.listen, args.mqtt_port, MQTT_PORT, "--mqtt-port")
    web_port = choose_port(args.listen, args.web_port, WEB_PORT, "--web-port", taken=frozenset({mqtt_port}))
    for name, port, default, wanted in (
        ("broker", mqtt_port, MQTT_PORT, args.mqtt_port),
        ("web app", web_port, WEB_PORT, args.web_port),
    ):
        if wanted is None and port != default:
            tell(f"port {default} is taken: the {name} uses {port}")
    return Place(args.listen, mqtt_port, web_port)
