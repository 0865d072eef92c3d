"""A connection on which our own signs of life do not come back is worth nothing, unless they are behind much else."""

import pytest

from piio_bridge.hearing import MUCH, Hearing


@pytest.fixture
def hearing() -> Hearing:
    """A connection since second 10, whose beacon came back at once."""
    made = Hearing()
    made.begin(10.0)
    made.beacon_back(10.0)
    return made


def test_a_connection_on_which_nothing_comes_back_for_three_seconds_is_deaf(hearing: Hearing) -> None:
    assert not hearing.deaf(12.9)
    assert hearing.deaf(13.1)


def test_who_stood_still_hears_what_waits_for_it_before_it_calls_itself_deaf(hearing: Hearing) -> None:
    hearing.stood_still(20.0)
    assert not hearing.deaf(22.9)
    assert hearing.deaf(23.1)


@pytest.mark.parametrize("look", [0.25, 1.0], ids=lambda seconds: f"looked at every {seconds:g} s")
def test_while_very_much_comes_a_beacon_may_be_behind_it_for_a_minute(hearing: Hearing, look: float) -> None:
    def deaf_after(seconds: float) -> bool:
        now, deaf = 10.0, False
        while now < 10.0 + seconds:
            now += look
            hearing.took(int(MUCH * look) + 1)
            deaf = hearing.deaf(now)
        return deaf

    assert not deaf_after(59)
    assert deaf_after(70)


def test_a_little_that_comes_does_not_excuse_it(hearing: Hearing) -> None:
    for second in range(11, 14):
        hearing.took(int(MUCH) - 1)
        assert not hearing.deaf(float(second))
    hearing.took(int(MUCH) - 1)
    assert hearing.deaf(14.0)
