"""What the files of drivers in folders say, as one number: a holder that was made of other ones is replaced."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest_of(folders: Iterable[Path]) -> str:
    """Return a digest of the names and contents of the Python files in folders; who cannot be read counts as such."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            content = _content(path)
            digest.update(f"{path}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error).encode()
