"""How many frames a page gets when something changes all the time."""

import pytest

from piio_webapp.pace import MOST, MOST_IN_ALL, Pace


def frames_of_a_page(pages: int, seconds: float) -> list[float]:
    """The times of the frames that each of so many pages gets in a view that changes a thousand times a second."""
    pace, found = Pace(), []
    for step in range(round(seconds * 1000)):
        if pace.wait(step / 1000) == 0:
            found.append(step / 1000)
            pace.gone(step / 1000, pages)
    return found


@pytest.mark.parametrize(("pages", "most"), [(1, MOST), (30, MOST), (60, 12), (100, 8)])
def test_a_page_gets_twenty_frames_in_any_second_and_fewer_where_many_are_open(pages: int, most: int) -> None:
    times = frames_of_a_page(pages, 5)
    for begin in times:
        assert sum(begin <= at < begin + 1 for at in times) <= most
    assert len(times) * pages <= 5 * MOST_IN_ALL + 2 * pages


@pytest.mark.parametrize("pages", [1, 100])
def test_after_silence_a_frame_goes_at_once_and_one_more(pages: int) -> None:
    pace = Pace()
    pace.gone(0.0, pages)
    assert pace.wait(0.01) == 0, "one is always to spare"
    pace.gone(0.01, pages)
    assert pace.wait(0.02) > 0
    assert pace.wait(1.0) == 0
