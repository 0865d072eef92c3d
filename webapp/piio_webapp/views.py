"""Which pages look at what: each change reaches the views that it concerns."""

from collections.abc import Iterable

from piio_webapp.board_cache import Change
from piio_webapp.open_page import OpenPage
from piio_webapp.view import READINGS, Target, View


class Views:
    """The views that have a page, by what they look at; guarded by the cache's lock."""

    def __init__(self) -> None:
        self._views: dict[Target | None, View] = {}
        self._of: dict[str | None, list[View]] = {}
        self._pages: dict[str, View] = {}

    def all(self) -> Iterable[View]:
        """Return all of them."""
        return self._views.values()

    @property
    def targets(self) -> set[Target]:
        """What is looked at."""
        return {target for target in self._views if target is not None}

    def of(self, page: OpenPage) -> View | None:
        """Return the view of a page; None when it is closed."""
        return self._pages.get(page.sid)

    def at(self, agent: str) -> Iterable[View]:
        """Return the views at a board."""
        return self._of.get(agent, ())

    def turn(self, page: OpenPage, target: Target | None) -> View:
        """Have a page look at something else; all of it is new to the page."""
        self.leave(page)
        view = self._views.get(target)
        if view is None:
            view = self._views[target] = View(target)
            self._index()
        view.pages[page.sid] = page
        self._pages[page.sid] = view
        page.full = True
        return view

    def leave(self, page: OpenPage) -> None:
        """Have a page look at nothing any more; a view without pages is over."""
        view = self._pages.pop(page.sid, None)
        if view:
            del view.pages[page.sid]
            if not view.pages:
                del self._views[view.target]
                self._index()

    def changed(self, change: Change) -> bool:
        """Have the views that a change concerns know of it; whether one of them had nothing to tell before."""
        concerned = self._views.values() if change.agent is None else (*self.at(change.agent), *self._of.get(None, ()))
        stirred = False
        for view in concerned:
            if _touch(view, change):
                stirred = stirred or not view.stirred
                view.stirred = True
        return stirred

    def _index(self) -> None:
        self._of = {}
        for target, view in self._views.items():
            if target is not None:
                self._of.setdefault(target.agent, []).append(view)


def _touch(view: View, change: Change) -> bool:
    """Note a change where it concerns a view; whether it does."""
    if change.agent is None:
        view.touch("link", "")
    elif view.target is not None and view.target.agent is None:
        if change.kind in ("health", "event", "values", "raws", "samples"):
            return False
        view.touch("boards", change.agent)
    elif change.kind in READINGS:
        if change.key is None or not view.wants(change.kind):
            return False
        view.touch(change.kind, change.key)
    elif change.kind == "samples":
        samples = view.samples.get(change.key or "")
        if samples is None:
            return False
        view.touch(change.kind, change.key or "")
        samples.take(change.before, view.number)
    elif change.kind == "event":
        return False
    else:
        view.touch("board", change.kind)
    return True
