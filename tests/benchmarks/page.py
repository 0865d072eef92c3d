"""docs/performance.md, whose tables are made by the benchmarks."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def write(benchmark: str, text: str) -> None:
    """Put what a benchmark found in the place of what it found before, between its two comments."""
    begin, end = f"<!-- made by {benchmark} -->", f"<!-- end of {benchmark} -->"
    page = PAGE.read_text()
    new, count = re.subn(
        f"{re.escape(begin)}.*{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", page, flags=re.DOTALL
    )
    if not count:
        raise SystemExit(f"{PAGE} has no place for it: {begin} … {end}")
    PAGE.write_text(new)
