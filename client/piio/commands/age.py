"""How long ago, as people write it: 90s, 15m, 1h, 7d, 2w."""

import argparse
import re

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def read_age(text: str) -> float:
    """Return the seconds; the error is argparse's."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not an age such as 90s, 15m, 1h, 7d or 2w")
    return float(match[1]) * UNITS[match[2]]
