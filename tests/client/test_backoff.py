"""Between two connections: pauses that spread a crowd, and no complaint twice."""

from piio.backoff import Backoff


def test_a_crowd_comes_back_spread_within_1_s_then_2_4_and_5() -> None:
    crowd = [Backoff() for _ in range(200)]
    for longest in (1, 2, 4, 5, 5):
        pauses = [one.pause() for one in crowd]
        assert 0 <= min(pauses) < 0.2 * longest
        assert 0.8 * longest < max(pauses) <= longest


def test_after_a_connection_the_pauses_are_short_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.pause()
    backoff.connected()
    assert backoff.pause() <= 1


def test_the_same_error_is_news_once_a_connection() -> None:
    backoff = Backoff()
    refused, lost = ConnectionError("refused"), ConnectionError("lost")
    assert [backoff.is_news(error) for error in (refused, refused, lost, refused)] == [True, False, True, True]
    backoff.connected()
    assert backoff.is_news(refused)
