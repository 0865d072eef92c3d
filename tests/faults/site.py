"""A whole installation at work, whose processes a test may stop, kill and start again."""

from pathlib import Path
from typing import Any

import piio
from tests.faults.parts import STARTING, Parts
from tests.webapp.stage import Page, Visitor
from tests.witness import Witness, all_is_right


class Site:
    """Broker, bridge, web app and the agent `demo`, by name."""

    def __init__(self, folder: Path, **where: dict[str, Any]) -> None:
        """`where` is what a process is started with besides the usual, by its name."""
        self.parts = Parts(folder)
        self._boards = where.get("agent", {}).get("state")
        self.processes = self.parts.start_all(**where)

    def pid(self, name: str) -> int:
        """A process; of the broker, Mosquitto's own."""
        return self.parts.mosquitto if name == "broker" else self.processes[name].pid

    def page(self) -> Page:
        """A page of the board, opened by an admin."""
        visitor = Visitor(self.parts.web_url())
        assert visitor.log_in("admin", self.parts.env["PIIO_WEB_PASSWORD"]).status == 200
        page = visitor.page()
        page.look("demo")
        return page

    def admin(self) -> piio.Client:
        """An admin's client."""
        return piio.connect(self.parts.env["PIIO_ADMIN_URL"])

    def witness(self) -> Witness:
        """Somebody who sees everything, once all is right; every line is off."""
        made = Witness(self.parts.state, self._boards)
        made.wait(all_is_right, STARTING)
        made.wait_for_plain_sets()
        made.switch_all_off()
        made.doubts.clear()
        return made

    def close(self) -> None:
        """End it all."""
        self.parts.close()
