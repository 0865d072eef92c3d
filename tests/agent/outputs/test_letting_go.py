"""What is let go while its driver is in trouble: nobody looks after it any more, so it is left where it is safe."""

from typing import Any

import pytest

from piio_agent.outputs.messages import Broken, Close, Open, Policies, Stop, StopAll
from tests.agent.outputs.bench import LAMP, Bench


@pytest.fixture
def read_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the next reading fail, and no other."""
    read = bench.gpio.read

    def fail(_: str) -> float:
        monkeypatch.setattr(bench.gpio, "read", read)
        raise OSError("the cable shook")

    return lambda: monkeypatch.setattr(bench.gpio, "read", fail)


def events(bench: Bench) -> list[str]:
    return [entry.event for entry in bench.board.trace.entries() if entry.channel == "17"]


@pytest.mark.parametrize("end", [Close(LAMP), Stop()])
def test_an_output_whose_reading_has_just_failed_is_driven_safe(bench: Bench, read_fails: Any, end: Any) -> None:
    bench.open()
    bench.order(1)
    read_fails()
    bench.pass_time(2.05, bridge=True)
    assert isinstance(bench.reports[-1], Broken)
    bench.tell(end)
    assert bench.levels() == [1, 0]
    assert events(bench)[-2:] == ["", "close"]


def test_an_order_that_could_not_be_read_back_leaves_nothing_on(bench: Bench, read_fails: Any) -> None:
    bench.open()
    read_fails()
    assert bench.order(1).status == "failed"
    assert bench.level() == 1
    bench.tell(Close(LAMP))
    assert events(bench) == ["open", "", "", "close"]


def test_one_that_holds_and_was_to_be_off_goes_off(bench: Bench, read_fails: Any) -> None:
    bench.open(on_lost="hold")
    bench.order(1)
    read_fails()
    bench.pass_time(2.05, bridge=True)
    bench.tell(StopAll("anna", at=1.0))
    bench.tell(Close(LAMP))
    assert events(bench) == ["open", "", "", "close"]


def test_one_that_was_never_had_is_not_driven(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    monkeypatch.setattr(bench.gpio, "write", lambda _, raw: written.append(raw))
    bench.board.fault("gpio", "17", "held by somebody")
    bench.open()
    bench.tell(Close(LAMP))
    assert written == []


def test_one_that_fails_and_cannot_have_other_settings_is_not_kept_by_its_driver(bench: Bench, read_fails: Any) -> None:
    bench.open()
    bench.order(1)
    read_fails()
    bench.pass_time(2.05, bridge=True)
    bench.tell(Open(LAMP, {"pull": "up"}, Policies()))
    bench.tell(Close(LAMP))
    assert events(bench) == ["open", "", "", "close"]


def test_one_that_could_not_be_closed_is_closed_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.open()
    bench.order(1)
    with monkeypatch.context() as gone:
        for name in ("write", "close"):
            gone.setattr(bench.gpio, name, _gone)
        bench.tell(Open(LAMP, {"pull": "up"}, Policies()))
    assert bench.level() == 1
    bench.tell(Close(LAMP))
    assert events(bench) == ["open", "", "", "close"]


def _gone(*_: Any) -> None:
    raise OSError("the chip has gone")


def test_other_settings_that_could_only_not_be_read_back_are_kept(bench: Bench, read_fails: Any) -> None:
    bench.open()
    read_fails()
    bench.tell(Open(LAMP, {"bias": "pull-down"}, Policies(on_start="on")))
    assert isinstance(bench.reports[-1], Broken)
    assert "close" not in events(bench)
    bench.pass_time(0.3, bridge=True)
    assert (bench.newest.raw, bench.levels()) == (1.0, [1])
