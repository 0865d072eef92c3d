"""A stop: every output of a board, or of all boards, goes where it is safe and stays there until a new set."""

from typing import Annotated

from msgspec import Meta, Struct

from piio_schemas.documents import DocumentError, as_model, read_json

SOMEBODY = "somebody"
"""Who stopped, where nobody says."""

STOPPED = "stopped by "
"""What the reason of such a fail-safe begins with; the name follows."""

LONGEST_NAME = 63


class Stop(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Drive every output where it is safe; any other text that is not empty does the same."""

    by: Annotated[str, Meta(max_length=LONGEST_NAME, description="Who stops, as the sender says.")] = ""
    id: Annotated[str, Meta(max_length=64, description="What the web app vouched for.")] = ""
    passed_on: Annotated[
        bool, Meta(description="Said again by the bridge, behind every set that was asked before it.")
    ] = False

    @property
    def reason(self) -> str:
        """The fail-safe's reason."""
        return f"{STOPPED}{self.by or SOMEBODY}"


def read_stop(payload: bytes) -> Stop | None:
    """Read a stop; None for an empty payload, which clears a retained one. Whatever is no document stops, too."""
    if not payload:
        return None
    try:
        stop = as_model(read_json(payload), Stop)
    except DocumentError:
        return Stop()
    by = "".join(letter for letter in stop.by if letter.isprintable())
    return Stop(by=by, id=stop.id, passed_on=stop.passed_on)
