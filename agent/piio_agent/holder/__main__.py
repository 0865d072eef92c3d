"""The holder as a process: `python -m piio_agent.holder NAME DESCRIPTOR`, started by its agent."""

import logging
import signal
import socket
import sys

from piio_agent.clock import SystemClock
from piio_agent.holder.holder import Holder


def main() -> None:
    """Hold the outputs of agent NAME for whoever connects to the listening socket DESCRIPTOR."""
    descriptor = int(sys.argv[2])  # the name is for those who list processes
    # A terminal's Ctrl-C is for the agent, which says what is to become of the outputs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A full disk is no reason to let go of anything.
    logging.raiseExceptions = False
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    Holder(socket.socket(fileno=descriptor), SystemClock()).run()


main()
