"""What a simulated board shows at its first start: one display of each type, sent as anybody would send it."""

import json
import secrets
import threading
from typing import Any

from piio.address import Address
from piio.connection import Connection, Message
from piio_schemas.topics import CONFIG_SET, REPLY

TIMEOUT = 5.0
"""Seconds the bridge may take to answer."""

POINTS: dict[str, Any] = {
    "tank": {
        "interface": "adc", "channel": "0", "direction": "input", "label": "Tank level",
        "equation": "(float(x) / 1023) * 100", "unit": "%",
    },
    "temperature": {
        "interface": "adc", "channel": "0", "direction": "input", "label": "Temperature",
        "equation": "15 + x * 20 / 1023", "unit": "°C",
    },
    "lamp": {"interface": "gpio", "channel": "17", "direction": "output", "label": "Lamp"},
}  # fmt: skip

DISPLAYS: dict[str, Any] = {
    "level": {"type": "progress", "point": "tank", "place": {"x": 0, "y": 0, "w": 4, "h": 2}},
    "temperature": {"type": "numeric", "point": "temperature", "place": {"x": 4, "y": 0, "w": 4, "h": 2}},
    "lamp": {"type": "button", "point": "lamp", "place": {"x": 8, "y": 0, "w": 4, "h": 2}},
    "history": {"type": "graph", "point": "tank", "place": {"x": 0, "y": 2, "w": 12, "h": 4}},
}


def send_demonstration(address: Address, agent: str) -> str | None:
    """Configure a board that has no configuration yet; return what went wrong, None when all is well.

    Blocks for up to 5 s. A board that somebody else configured meanwhile is left as it is.
    """
    answers: list[dict[str, Any]] = []
    answered = threading.Event()

    def hear(message: Message) -> None:
        answers.append(json.loads(message.payload))
        answered.set()

    reply_to = REPLY.at(user=address.user, rest=secrets.token_hex(8))
    request = {"base_revision": 0, "patch": {"points": POINTS, "displays": DISPLAYS}, "by": address.user}
    with Connection(address, hear) as connection:
        connection.subscribe([(reply_to, 1)])
        connection.request(CONFIG_SET.at(agent=agent), json.dumps(request).encode(), reply_to, b"demonstration")
        if not answered.wait(TIMEOUT):
            return "the bridge did not answer"
    return _trouble(answers[0])


def _trouble(answer: dict[str, Any]) -> str | None:
    if answer.get("ok"):
        return None
    errors = answer.get("errors") or [answer.get("error", {})]
    if any(error.get("path") == "base_revision" for error in errors):
        return None
    return "; ".join(f"{error.get('path', '')} {error.get('message', '')}".strip() for error in errors)
