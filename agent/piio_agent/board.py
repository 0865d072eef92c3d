"""The machine the agent runs on, as it describes itself."""

import platform
import socket
from pathlib import Path

from piio.address import Address
from piio_schemas.states import Board

_MODEL = Path("/proc/device-tree/model")
_NETWORK = Path("/sys/class/net")


def board(address: Address, simulated: bool) -> Board:
    """Describe this machine; its IP address is the one it reaches the broker from."""
    ip = _ip(address)
    return Board(model="Simulated board" if simulated else model(), hostname=socket.gethostname(), mac=_mac(), ip=ip)


def model() -> str:
    """What the device tree calls this machine, e.g. `Raspberry Pi 5 Model B Rev 1.0`; else its architecture."""
    try:
        return _MODEL.read_text().rstrip("\0\n")
    except OSError:
        return f"{platform.system()} {platform.machine()}"


def _mac() -> str:
    """The hardware address of the first real network interface."""
    try:
        for interface in sorted(_NETWORK.iterdir()):
            mac = (interface / "address").read_text().strip()
            if (interface / "device").exists() or interface.name.startswith(("eth", "wlan", "en", "wl")):
                return mac
    except OSError:
        return ""
    return ""


def _ip(address: Address) -> str:
    """What the kernel would send from; nothing is sent for that."""
    if address.unix:
        return "127.0.0.1"
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(target)
            return str(probe.getsockname()[0])
    except OSError:
        return ""
