"""A simulated board with one display of each type, and the admin's page that put them there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.webapp.stage import Page, Stage, Visitor

POINTS: dict[str, Any] = {
    "tank": {"interface": "adc", "channel": "0", "direction": "input", "label": "Tank level",
             "equation": "(float(x) / 1023) * 100", "unit": "%"},
    "knob": {"interface": "adc", "channel": "3", "direction": "input", "label": "Knob", "equation": "x / 10"},
    "lamp": {"interface": "gpio", "channel": "17", "direction": "output", "label": "Lamp"},
}  # fmt: skip
DISPLAYS: dict[str, Any] = {
    "d1": {"type": "progress", "point": "tank", "options": {"high": 100}, "place": {"x": 0, "y": 0, "w": 3, "h": 2}},
    "d2": {"type": "numeric", "point": "knob", "place": {"x": 3, "y": 0, "w": 3, "h": 2}},
    "d3": {"type": "button", "point": "lamp", "place": {"x": 6, "y": 0, "w": 3, "h": 2}},
    "d4": {"type": "graph", "point": "tank", "place": {"x": 0, "y": 2, "w": 12, "h": 4}},
}


class Bench:
    """One board on a stage."""

    def __init__(self, stage: Stage, name: str = "bench1") -> None:
        self.stage, self.name = stage, name
        self.agent = stage.add_board(name)
        self.admin: Visitor = stage.visitor("anna")
        page = self.open("anna", self.admin)
        page.wait(lambda: any((frame.get("board") or {}).get("config") for frame in page.frames), "a configuration")
        self.configure({"points": POINTS, "displays": DISPLAYS}, page)
        page.close()

    def open(self, name: str, visitor: Visitor | None = None, raws: bool = False) -> Page:
        """Open the board's page as somebody."""
        page = (visitor or self.stage.visitor(name)).page()
        page.look(self.name, raws)
        return page

    def configure(self, patch: dict[str, Any], page: Page | None = None) -> int:
        """Patch the board's configuration as the admin does; return the revision."""
        used = page or self.open("anna", self.admin)
        answer = used.ask("ask", verb="save", agent=self.name, body={"patch": patch})["answer"]
        assert answer["ok"], answer
        if page is None:
            used.close()
        return int(answer["revision"])

    @contextmanager
    def without_bridge(self, page: Page) -> Iterator[None]:
        """No bridge for a while, which a page of this board knows; then there is one, and has heard of the board."""
        self.stage.bridge.stop()
        try:
            page.wait(lambda: _newest(page, "link").get("bridge") is False, "word of the bridge")
            yield
        finally:
            self.stage.bridge.start()
            page.wait(lambda: _newest(page, "link").get("bridge"), "the bridge again", 15)
            page.wait(lambda: _newest(page, "qualities", "lamp").get("lamp") == "good", "a sign of life of the board")


def _newest(page: Page, kind: str, key: str = "") -> dict[str, Any]:
    return next((f[kind] for f in reversed(page.frames) if kind in f and (not key or key in f[kind])), {})
