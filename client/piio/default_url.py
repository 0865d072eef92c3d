"""Where the broker is when nobody says: $PIIO_URL, else what `piio up` wrote into its state folder."""

import os
from collections.abc import Sequence
from pathlib import Path

from piio.errors import AddressError

ENV_FILE = Path("var/env")
"""What `piio up` writes, seen from the folder it was started in."""

ANYBODY = ("PIIO_URL",)
ADMIN = ("PIIO_ADMIN_URL", "PIIO_URL")
"""The variables that name the broker's URL, the preferred first."""


def default_url(names: Sequence[str] = ANYBODY, state: Path | None = None) -> str:
    """Return the broker's URL; a `state` folder is asked alone. AddressError says what to type where nobody knows."""
    file = state / "env" if state else ENV_FILE
    sources = [_env_file(file)] if state else [dict(os.environ), _env_file(file)]
    for source in sources:
        for name in names:
            if source.get(name):
                return source[name]
    raise AddressError(f"which broker? There is no {file}: start `piio up` here, set PIIO_URL, or say --url mqtt://…")


def _env_file(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AddressError(f"{path} cannot be read: {error.strerror}") from error
    return dict(line.split("=", 1) for line in lines if "=" in line)
