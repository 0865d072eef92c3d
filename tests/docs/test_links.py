"""Links within the project's pages lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def anchor(heading: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, wanted = link.partition("#")
        target = page.parent / path if path else page
        if re.match(r"\w+:", link):
            continue
        assert target.exists(), f"{link}: there is no such file"
        if wanted:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert wanted in map(anchor, headings), f"{link}: there is no such heading"
