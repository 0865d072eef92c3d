"""What a person is told when everything is at work, and the page that opens by itself."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from piio.child import WAITED_FOR
from piio.up.installation import ADMIN, Installation, Place
from piio_schemas.topics import VALUE, VALUE_SET


def greeting(installation: Installation, place: Place, token: str, output: str | None) -> str:
    """Return the lines that say where everything is."""
    state = _short(installation.state)
    lines = [
        "PiIO is running.",
        "",
        f"  page    {place.web_url}    (log in as {ADMIN}; the password is in {state}/env)",
        f"  once    {first_link(place, token)}    (logs you in without a password, one time)",
        f"  broker  {place.broker_host}:{place.mqtt_port}",
        f"  try     {_example(installation.agent, state, output)}",
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


def first_link(place: Place, token: str) -> str:
    """Return the link that logs a person in once."""
    return f"{place.web_url}/first/{token}"


def open_page(url: str) -> None:
    """Open a page in the person's browser where there is a screen."""
    opener = shutil.which("xdg-open")
    if opener is None or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    subprocess.Popen(  # noqa: S603
        [opener, url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the browser outlives us
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, WAITED_FOR),
    )


def say(text: str) -> None:
    """Print for the person who started us."""
    print(text, file=sys.stdout, flush=True)


def _example(agent: str, state: str, output: str | None) -> str:
    if output:
        return f"XDG_CONFIG_HOME={state} mosquitto_pub -t {VALUE_SET.at(agent=agent, point=output)} -m 1"
    return f"XDG_CONFIG_HOME={state} mosquitto_sub -v -t {VALUE.at(agent=agent, point='+')}"


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
