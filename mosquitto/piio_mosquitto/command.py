"""`piio broker`: Mosquitto with the rights of this installation, in the foreground."""

import argparse
import signal
import sys
import time
from pathlib import Path

from piio.child import block_signals, wait_signal
from piio.lock import FileLock
from piio_mosquitto.configuration import LOOPBACK, Listener
from piio_mosquitto.errors import BrokerError
from piio_mosquitto.folder import BrokerFolder
from piio_mosquitto.process import Mosquitto, check_free, end_leftover

HELP = "run the broker: Mosquitto, configured from the roles"

TOO_SOON = 5.0
"""Seconds; a broker that dies sooner than this after its start, three times running, is given up."""

ENOUGH = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--state", type=Path, default=Path("var"), metavar="DIR", help="state folder (default ./var)")
    parser.add_argument("--port", type=int, default=1883, help="default 1883")
    parser.add_argument("--listen", default=LOOPBACK, metavar="ADDRESS", help="0.0.0.0: everywhere (default 127.0.0.1)")


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; a Mosquitto that dies is started again at once."""
    block_signals()
    folder = BrokerFolder(args.state)
    folder.make()
    with FileLock(folder.path / "lock", busy=f"the broker in {folder.state} is running already"):
        listener = Listener(args.listen, args.port)
        end_leftover(folder)
        check_free(listener)
        folder.configure(listener)
        folder.ensure_services()
        return _keep_running(folder)


def _keep_running(folder: BrokerFolder) -> int:
    mosquitto = Mosquitto(folder)
    deaths_in_a_row = 0
    try:
        while True:
            mosquitto.start()
            started = time.monotonic()
            if _wait(mosquitto):
                return 0
            deaths_in_a_row = deaths_in_a_row + 1 if time.monotonic() - started < TOO_SOON else 1
            if deaths_in_a_row >= ENOUGH:
                raise BrokerError("Mosquitto ends again and again soon after its start: its last lines say why")
            print("Warning: Mosquitto ended; starting it again", file=sys.stderr, flush=True)
    finally:
        mosquitto.stop()


def _wait(mosquitto: Mosquitto) -> bool:
    """Wait until somebody wants us to stop (True) or Mosquitto has ended (False)."""
    while not mosquitto.ended():
        if wait_signal() in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            return True
    return False
