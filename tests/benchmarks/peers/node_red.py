"""Node-RED from npm: `mqtt in` → `function` → `mqtt out`, as its users build it."""

import json
import platform
import shutil
from collections.abc import Sequence

from tests.benchmarks.peers.peer import Peer, fetched
from tests.benchmarks.stand import Stand
from tests.ports import free_port

VERSION = "5.0.7"

NODE = "22.23.3"
"""Of Node.js, from npm, too: Debian 12 has an older one than Node-RED takes."""

MACHINES = {"x86_64": "x64", "aarch64": "arm64"}

FUNCTION = """\
const [prefix, board, , , channel] = msg.topic.split("/");
msg.topic = `${prefix}/${board}/value/p${channel}`;
msg.payload = Number(msg.payload) / 1023 * 100;
return msg;
"""

SETTINGS = "module.exports = {{uiHost: '127.0.0.1', uiPort: {port}, flowFile: 'flow.json', credentialSecret: false}};\n"


def node_red() -> Peer:
    """Return it, fetched if need be."""
    if not shutil.which("npm"):
        raise RuntimeError("Node-RED needs npm: type `sudo apt-get install npm`")
    node = f"node-linux-{MACHINES[platform.machine()]}"
    folder = fetched(
        f"node-red-{VERSION}",
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", "{folder}", f"node-red@{VERSION}", f"{node}@{NODE}"],
    )
    modules = folder / "node_modules"

    def command(made: Stand) -> Sequence[str]:
        place = made.parts.state / "node-red"
        place.mkdir()
        (place / "settings.js").write_text(SETTINGS.format(port=free_port()))
        (place / "flow.json").write_text(json.dumps(_flow(made)))
        secret = {"user": made.publisher.user, "password": made.publisher.password}
        (place / "flow_cred.json").write_text(json.dumps({"broker": secret}))
        program = [str(modules / node / "bin" / "node"), str(modules / "node-red" / "red.js")]
        return [*program, "--userDir", str(place), "--settings", str(place / "settings.js")]

    return Peer("Node-RED", command)


def _flow(made: Stand) -> list[dict[str, object]]:
    at = {"z": "flow", "broker": "broker", "qos": "0"}
    return [
        {"id": "flow", "type": "tab", "label": "readings"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(made.publisher.port),
         "protocolVersion": "4", "keepalive": "60", "cleansession": True, "autoConnect": True},
        {"id": "in", "type": "mqtt in", "topic": "piio/+/raw/adc/+", "datatype": "utf8", "wires": [["f"]], **at},
        {"id": "f", "type": "function", "z": "flow", "func": FUNCTION, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "topic": "", "retain": "true", "wires": [], **at},
    ]  # fmt: skip
