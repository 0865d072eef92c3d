"""Passwords, and how Mosquitto keeps them: PBKDF2 with SHA-512, its own `$7$` form."""

import hashlib
import secrets
import string
from base64 import b64encode

ITERATIONS = 1000
"""Ours are random and cannot be guessed, and the broker stands still while it computes: half a millisecond a log-in."""

SALT_BYTES = 12
"""Mosquitto takes no other length."""

_LETTERS = string.ascii_letters + string.digits


def new_password() -> str:
    """Return 24 random letters and digits (142 bits), which no shell, URL or file needs quoted."""
    return "".join(secrets.choice(_LETTERS) for _ in range(24))


def hashed(password: str) -> str:
    """Return a password as it stands in Mosquitto's password file, after the name and the colon."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(key).decode()}"
