"""How long a set takes to the value topic and to its result, in an installation on this machine.

`python -m tests.benchmarks.set_to_value [--write]`: starts `piio up` with a simulated board and prints a table; with
`--write` it goes into docs/performance.md. On a machine that has other work besides, `chrt -r 5` before it (as root)
keeps that out of the figures.
"""

import argparse
import tempfile
import time
from pathlib import Path

import piio
from piio.address import read_address
from piio.client import Client
from tests.benchmarks.eye import Eye
from tests.benchmarks.page import write
from tests.benchmarks.tries import HEAD, Delays, pause, rows, set_and_wait
from tests.conftest import RunningInstallation

TRIES = 500

POINT = {"interface": "gpio", "channel": "22", "direction": "output"}

TITLES = {"raw": "raw topic", "value": "value topic", "result": "result"}


def main() -> None:
    """Start an installation, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--tries", type=int, default=TRIES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        running = RunningInstallation(Path(folder) / "var", "--simulate", "--mqtt-port", "0", "--web-port", "0")
        try:
            running.wait_until_running()
            found = _measure(running.env, arguments.tries)
        finally:
            running.stop()
    text = "\n".join([f"{arguments.tries} tries each.", "", *HEAD, *found])
    print(text)
    if arguments.write:
        write("set_to_value", text)


def _measure(env: dict[str, str], tries: int) -> list[str]:
    with piio.connect(env["PIIO_ADMIN_URL"]) as admin:
        assert admin.configure("demo", {"points": {"led": POINT}}).ok
    eye = Eye(
        read_address(env["PIIO_ADMIN_URL"]), *(f"piio/demo/{each}/#" for each in ("raw/gpio", "value", "quality"))
    )
    eye.wait("piio/demo/quality/led", lambda payload: payload == b"good")
    eye.pause(1.0)
    found = []
    for title, echoed in (("plain set", False), ("echoed set", True)):
        delays = set_and_wait(eye, tries, "demo", "led", "gpio/22", echoed=echoed)
        found += rows(title, {TITLES[way]: seconds for way, seconds in delays.items()})
    with piio.connect(env["PIIO_URL"]) as client:
        found += rows("client.set()", _call(eye, client, tries))
    eye.close()
    return found


def _call(eye: Eye, client: Client, tries: int) -> Delays:
    """What a script waits that sets with our client; it has heard a beacon before the first."""
    client.hear_bridge()
    taken = []
    for number in range(tries):
        eye.pause(pause())
        begun = time.monotonic()
        assert client.set("demo/led", (number + 1) % 2).done
        taken.append(time.monotonic() - begun)
    return {"it returns": taken}


if __name__ == "__main__":
    main()
