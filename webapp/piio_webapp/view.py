"""What pages that look at the same have in common: what has changed there, and when they may be told."""

from msgspec import Struct, field

from piio_webapp.open_page import OpenPage
from piio_webapp.pace import Pace
from piio_webapp.samples import Samples

READINGS = ("values", "qualities", "raws")


class Target(Struct, frozen=True):
    """What a page looks at."""

    agent: str | None = None
    """The board; None: the list of boards."""
    raws: bool = False
    """Whether it wants raw values too, as the page of the configuration does."""
    samples: tuple[tuple[str, float], ...] = ()
    """Points whose samples it shows, and the seconds that it shows as one."""


class View(Struct, eq=False):
    """The pages that look at a target, or at nothing yet (None); guarded by the cache's lock.

    Each change has a number, and each page knows the newest it was told: what is new to a page is what comes after,
    each reading once, with its newest value. So a change costs the same however many look, and pages that know the
    same are told the same.
    """

    target: Target | None
    pages: dict[str, OpenPage] = field(default_factory=dict)
    number: int = 0
    """Of the newest change."""
    changed: dict[tuple[str, str], int] = field(default_factory=dict)
    """The number of the newest change of each thing, by kind and key, the newest last."""
    samples: dict[str, Samples] = field(default_factory=dict)
    """Of each point whose samples are shown."""
    stirred: bool = False
    """Whether somebody may have to be told something."""
    pace: Pace = field(default_factory=Pace)
    beat_at: float = 0.0
    """When a page has to hear a sign of life, if nothing else."""

    def __post_init__(self) -> None:
        if self.target:
            self.samples = {point: Samples(width) for point, width in self.target.samples}

    def touch(self, kind: str, key: str) -> None:
        """Note that something changed."""
        self.number += 1
        self.changed.pop((kind, key), None)
        self.changed[kind, key] = self.number

    def since(self, number: int) -> dict[str, list[str]]:
        """Return what has changed after a number, by kind."""
        found: dict[str, list[str]] = {}
        for (kind, key), changed in reversed(self.changed.items()):
            if changed <= number:
                break
            found.setdefault(kind, []).append(key)
        return found

    def wants(self, kind: str) -> bool:
        """Whether its pages are told of changes of a kind, at the board it looks at."""
        return kind != "raws" or (self.target is not None and self.target.raws)
