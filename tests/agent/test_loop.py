"""The agent's one loop."""

import threading

import pytest

from piio_agent import loop as loop_module
from piio_agent.clock import SystemClock
from piio_agent.loop import Loop


def run(loop: Loop, seconds: float = 5) -> None:
    """Run a loop until it is stopped, or fail."""
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "the loop was not stopped"


@pytest.fixture
def loop() -> Loop:
    return Loop(SystemClock())


def test_what_is_posted_is_done_in_order(loop: Loop) -> None:
    done: list[int] = []
    for n in range(5):
        loop.post(lambda n=n: done.append(n))  # type: ignore[misc]
    loop.post(loop.stop)
    run(loop)
    assert done == [0, 1, 2, 3, 4]


def test_what_is_due_is_done_in_time_unless_it_is_cancelled(loop: Loop) -> None:
    done: list[str] = []
    loop.after(0.05, lambda: done.append("second"))
    loop.after(0.01, lambda: done.append("first"))
    loop.after(0.03, lambda: done.append("never")).cancel()
    loop.after(0.1, loop.stop)
    run(loop)
    assert done == ["first", "second"]


def test_a_mistake_in_one_action_ends_neither_the_loop_nor_what_comes_again(loop: Loop) -> None:
    turns: list[int] = []

    def mistaken() -> None:
        turns.append(1)
        raise RuntimeError("for this test")

    loop.every(0.01, mistaken)
    loop.after(0.1, loop.stop)
    run(loop)
    assert len(turns) > 3


def test_too_much_is_dropped_and_counted_but_the_newest_state_is_kept(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "MOST_WAITING", 3)
    seen: list[int] = []
    assert [loop.post(lambda: None) for _ in range(4)] == [True, True, True, False]
    for level in range(5):
        loop.post_newest("line 5", lambda level=level: seen.append(level))  # type: ignore[misc]
    loop.post_newest("end", loop.stop)
    assert loop.dropped == 5
    run(loop)
    assert seen == [4]


def test_lateness_is_told_once(loop: Loop) -> None:
    loop.post(lambda: threading.Event().wait(0.05) and None)
    loop.after(0.01, loop.stop)
    run(loop)
    assert loop.take_lateness() > 0.02
    assert loop.take_lateness() == 0


def test_of_too_many_messages_the_oldest_are_dropped_and_nothing_else_is(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "MOST_WAITING", 3)
    done: list[int] = []
    fitted = [loop.post_after(lambda n=n: done.append(n)) for n in range(5)]  # type: ignore[misc]
    loop.post(lambda: done.append(99))
    loop.after(0.1, loop.stop)
    run(loop)
    assert done == [99, 2, 3, 4]
    assert (fitted, loop.dropped) == ([True, True, True, False, False], 2)


def test_a_message_that_must_not_be_dropped_keeps_its_place_before_those_that_came_after_it(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "MOST_WAITING", 3)
    done: list[str] = []
    for each in ("set 1", "config 1", "set 2", "config 2", "set 3", "set 4", "set 5"):
        key = "config" if each.startswith("config") else None
        loop.post_after(lambda each=each: done.append(each), key)  # type: ignore[misc]
    loop.after(0.05, loop.stop)
    run(loop)
    assert done == ["config 2", "set 3", "set 4", "set 5"]
    assert loop.dropped == 3


def test_messages_are_handled_in_the_order_in_which_they_came_whatever_must_not_be_dropped(loop: Loop) -> None:
    done: list[str] = []
    loop.post_after(lambda: done.append("set"))
    loop.post_after(lambda: done.append("config"), "config")
    loop.after(0.05, loop.stop)
    run(loop)
    assert done == ["set", "config"]


def test_an_answer_that_somebody_waits_for_overtakes_messages_that_were_there_before(loop: Loop) -> None:
    done: list[int] = []
    answered: list[int] = []

    def handle() -> None:
        done.append(1)
        if len(done) == 3:
            loop.post_newest("pong", lambda: answered.append(len(done)))
        threading.Event().wait(loop_module.SHARE / 10)

    for _ in range(50):
        loop.post_after(handle)
    loop.post_after(loop.stop)
    run(loop)
    assert len(done) == 50
    assert answered[0] <= 15


def test_messages_are_handled_however_many_reports_come(loop: Loop) -> None:
    def report() -> None:
        loop.post(report)

    loop.post(report)
    loop.post_after(loop.stop)
    run(loop)


def test_states_that_were_replaced_keep_the_order_in_which_they_came(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "MOST_WAITING", 1)
    seen: list[str] = []
    loop.post(lambda: None)
    for state in ("became 0", "broken", "became 1"):
        kind = state.split()[0]
        loop.post_newest(kind, lambda state=state: seen.append(state))  # type: ignore[misc]
    loop.after(0.05, loop.stop)
    run(loop)
    assert seen == ["broken", "became 1"]


def test_what_was_posted_before_the_stop_is_done_at_the_end_but_messages_are_not(loop: Loop) -> None:
    done: list[str] = []
    loop.post(lambda: done.append("result"))
    loop.post_newest("line 5", lambda: done.append("raw"))
    loop.post_after(lambda: done.append("set"))
    loop.stop()
    run(loop)
    loop.drain()
    assert done == ["result", "raw"]


def test_what_is_to_be_done_at_once_is_done_by_who_asks_unless_something_waits_or_is_being_done(loop: Loop) -> None:
    done: list[str] = []
    thread = threading.Thread(target=loop.run, daemon=True)
    loop.post(lambda: done.append("before"))
    assert not loop.do_at_once(lambda: done.append("overtaking")), "something waits"
    begun, go_on = threading.Event(), threading.Event()
    loop.post(lambda: (begun.set(), go_on.wait(5)))
    thread.start()
    assert begun.wait(5)
    assert not loop.do_at_once(lambda: done.append("at the same time")), "something is being done"
    go_on.set()
    asked = threading.Event()
    while not loop.do_at_once(lambda: (asked.set(), loop.after(0.05, loop.stop))):
        asked.wait(0.001)
    thread.join(5)
    assert not thread.is_alive(), "what became due by it was done in time"
    assert done == ["before"]
    assert not loop.do_at_once(lambda: done.append("after the end"))
