"""Which drivers there are, and which cannot be used."""

from collections.abc import Iterable

from piio.checkup import Finding, Scope
from piio_agent.interfaces import door
from piio_agent.interfaces.errors import InterfaceError

PART = "drivers"


def findings(scope: Scope) -> Iterable[Finding]:
    """Import every driver; a file of somebody's that cannot be loaded is his to mend."""
    known = door.drivers(scope.folders)
    for problem in known.problems:
        yield Finding(PART, False, str(problem), "mend that file, or leave the folder out")
    for name in sorted(known):
        try:
            known[name]
        except InterfaceError as error:
            yield Finding(PART, False, str(error), "install piio again, or remove that driver's package")
    yield Finding(PART, True, ", ".join(sorted(known)))
