"""`./piio bench`: what it is made of, how figures are judged, and that it leaves nothing behind."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.figure import Figure, Reach, at_least, at_most
from tests.benchmarks.load import Answers
from tests.benchmarks.registry import BENCHMARKS, benchmark, chosen
from tests.benchmarks.run import Run
from tests.benchmarks.table import table

BENCH = [sys.executable, "-m", "tests.benchmarks"]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_has_a_title_and_measures(name: str) -> None:
    found = benchmark(name)
    assert found.TITLE
    assert callable(found.measure)


def test_a_benchmark_that_there_is_not_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="there is no benchmark 'tea': there are bridge"):
        chosen(["tea"])


@pytest.mark.parametrize(
    ("number", "reach", "met"),
    [
        (50, at_least(2.2, "paho"), True),
        (40, at_least(2.2, "paho"), False),
        (6, at_most(0.3, "paho"), True),
        (7, at_most(0.3, "paho"), False),
        (90, at_most(90), True),
        (91, at_most(90), False),
        (91, None, None),
        (50, at_least(2.2, "Node-RED"), None),
    ],
)
def test_a_figure_is_reached_or_not_by_itself_or_by_what_another_came_to(
    number: float, reach: Reach | None, met: bool | None
) -> None:
    assert Figure(what="readings", number=number, unit="/s", compared={"paho": 20.0}, reach=reach).met is met


def test_the_table_says_what_another_came_to_the_ratio_and_what_was_to_be_reached() -> None:
    figure = Figure(what="readings", number=50_000, unit="/s", compared={"paho": 25_000.0}, reach=at_least(2.2, "paho"))
    assert table({"The bridge": [figure]}).splitlines()[2:] == [
        "| **The bridge** | | | | | |",
        "| readings | 50,000 /s | paho: 25,000 /s | 2 × | ≥ 2.2 × paho | **no** |",
    ]


def test_rounds_are_interleaved_and_nobody_always_comes_first() -> None:
    order: list[str] = []

    def contender(name: str, results: list[float]) -> "dict[str, float]":
        order.append(name)
        return {"rate": results.pop(0)}

    ours, theirs = [1.0, 9.0, 2.0], [5.0, 5.0, 5.0]
    found = Run(rounds=3, say=lambda _: None).interleaved(
        {"ours": lambda: contender("ours", ours), "theirs": lambda: contender("theirs", theirs)}
    )
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert found == {"ours": {"rate": 2.0}, "theirs": {"rate": 5.0}}


def test_a_bridge_for_others_is_driven_as_it_says_and_goes_with_ctrl_c() -> None:
    bench = subprocess.Popen([*BENCH, "--bridge-only"], stdout=subprocess.PIPE, text=True)
    assert bench.stdout is not None
    said = ""
    try:
        for line in bench.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        example = said.splitlines()[-2].replace(" 60000 ", " 2000 ")
        answers = msgspec.json.decode(subprocess.check_output(example, shell=True), type=Answers)
        assert (answers.answered, answers.lost, answers.wrong) == (2000, 0, 0)
        started = re.search(r"^bridge +process (\d+)$", said, re.MULTILINE)
        assert started is not None, said
        assert Path(f"/proc/{started[1]}").exists()
    finally:
        bench.send_signal(signal.SIGINT)
        status = bench.wait(20)
        bench.stdout.close()
    assert status == 0
    assert not Path(f"/proc/{started[1]}").exists()
