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
from tests.benchmarks.figure import Figure, at_most
from tests.benchmarks.page import write
from tests.benchmarks.run import Numbers, Run, medians
from tests.benchmarks.tries import HEAD, Delays, pause, rows, set_and_wait, share_of
from tests.conftest import simulated_installation

TITLE = "From a set to the value topic"

TRIES = 500

TRIES_A_ROUND = 200

POINT = {"interface": "gpio", "channel": "22", "direction": "output"}

TITLES = {"raw": "raw topic", "value": "value topic", "result": "result"}


def main() -> None:
    """Start an installation, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--tries", type=int, default=TRIES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, simulated_installation(Path(folder)) as running:
        found = _measure(running.env, arguments.tries)
    text = "\n".join([f"{arguments.tries} tries each.", "", *HEAD, *found])
    print(text)
    if arguments.write:
        write("set_to_value", text)


def measure(run: Run) -> list[Figure]:
    """How long a plain set takes to its value, all hops and checks on the way, in an installation of its own."""
    with tempfile.TemporaryDirectory() as folder, simulated_installation(Path(folder)) as running:
        eye = _watched(running.env)
        found = medians([_round(eye, run, number) for number in range(run.rounds)])
        eye.close()
    return [
        Figure(what="plain set → value topic, p50", number=found["p50"], unit="ms", reach=at_most(2.0)),
        Figure(what="plain set → value topic, p99", number=found["p99"], unit="ms", reach=at_most(6.0)),
    ]


def _round(eye: Eye, run: Run, number: int) -> Numbers:
    run.say(f"round {number + 1} of {run.rounds}: {TRIES_A_ROUND} sets")
    taken = set_and_wait(eye, TRIES_A_ROUND, "demo", "led", "gpio/22", echoed=False)["value"]
    return {f"p{share}": share_of(taken, share) * 1000 for share in (50, 99)}


def _watched(env: dict[str, str]) -> Eye:
    """Configure the output and return who sees it, once it is good."""
    with piio.connect(env["PIIO_ADMIN_URL"]) as admin:
        assert admin.configure("demo", {"points": {"led": POINT}}).ok
    eye = Eye(
        read_address(env["PIIO_ADMIN_URL"]), *(f"piio/demo/{each}/#" for each in ("raw/gpio", "value", "quality"))
    )
    eye.wait("piio/demo/quality/led", lambda payload: payload == b"good")
    eye.pause(1.0)
    return eye


def _measure(env: dict[str, str], tries: int) -> list[str]:
    eye = _watched(env)
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
