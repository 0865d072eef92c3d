"""mqtt-io from PyPI, at its job that is most like a bridge's: a set comes, an output is driven, its state goes out.

It has no equations. Its outputs are those of its own module for trying it, which print what they are set to.
"""

import json
import sys
from collections.abc import Sequence

from tests.benchmarks.layout import Layout
from tests.benchmarks.peers.peer import Peer, fetched
from tests.benchmarks.stand import Stand

VERSION = "2.7.0"

OUTPUTS = Layout(boards=1)


def mqtt_io() -> Peer:
    """Return it, fetched if need be."""
    folder = fetched(
        f"mqtt-io-{VERSION}",
        [sys.executable, "-m", "venv", "{folder}"],
        ["{folder}/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
         f"mqtt-io=={VERSION}"],
    )  # fmt: skip

    def command(made: Stand) -> Sequence[str]:
        file = made.parts.state / "mqtt-io.json"
        file.write_text(json.dumps(_configuration(made)))  # JSON is YAML
        return [str(folder / "bin" / "python"), "-m", "mqtt_io", str(file)]

    return Peer("mqtt-io", command, ask=("piio/b0/output/o0/set", "ON"), answer="piio/b0/output/o0")


def _configuration(made: Stand) -> dict[str, object]:
    broker = made.publisher
    at = {"host": broker.host, "port": broker.port, "user": broker.user, "password": broker.password}
    output = {"module": "board", "on_payload": "ON", "off_payload": "OFF", "retain": True}
    return {
        "mqtt": {**at, "topic_prefix": "piio/b0"},
        "gpio_modules": [{"name": "board", "module": "stdio"}],
        "digital_outputs": [{"name": f"o{pin}", "pin": pin, **output} for pin in range(OUTPUTS.points)],
        "options": {"install_requirements": False},
    }
