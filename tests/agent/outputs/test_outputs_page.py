"""What docs/outputs.md says of policies and refusals is so."""

import json
import re
from pathlib import Path

import msgspec

from piio_agent.outputs.messages import Close, Open
from piio_agent.wanted import wanted
from piio_schemas.configuration import OutputPoint, read_configuration
from tests.agent.outputs.bench import Bench

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "outputs.md").read_text()
BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.M | re.S))
EXAMPLE = read_configuration(json.loads(BLOCKS["json"])["patch"])
REFUSALS = BLOCKS[""].splitlines()
ROWS = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]
OTHER_FIELDS = {"interface", "channel", "label", "equation", "inverse", "unit", "settings"}


def test_every_policy_has_its_row_with_its_default_and_a_test_that_is_there() -> None:
    fields = {field.name: field.default for field in msgspec.structs.fields(OutputPoint)}
    rows = {name: json.loads(default) for name, default, *_ in ROWS[2:]}
    assert rows == {name: default for name, default in fields.items() if name not in OTHER_FIELDS}
    tests = [*(row[-1] for row in ROWS[2:]), *re.findall(r"`(tests/[^`]+)`", PAGE)]
    assert [test for test in tests if not (ROOT / test).exists()] == []


def test_the_refusals_are_what_the_example_answers(bench: Bench) -> None:
    pump_a, pump_b = wanted(EXAMPLE)
    for channel, each in wanted(EXAMPLE).items():
        bench.tell(Open(channel, each.settings, each.policies, each.point))  # type: ignore[union-attr]
    answers = [bench.reason(1, pump_a, pulse=2)]
    bench.order(1, pump_b)
    answers.append(bench.reason(1, pump_a))
    bench.order(0, pump_b)
    bench.step(0.3)
    answers.append(bench.reason(1, pump_a))
    bench.step(1.2)
    bench.order(1, pump_a)
    bench.step(1.2)
    answers.append(bench.reason(0, pump_a))
    bench.step(3.8)
    bench.order(0, pump_a)
    bench.step(1.2)
    answers.append(bench.reason(1, pump_a))
    policies = msgspec.structs.replace(wanted(EXAMPLE)[pump_b].policies, rate=6)  # type: ignore[union-attr]
    bench.tell(Close(pump_a))
    bench.step(60)
    bench.tell(Open(pump_b, {}, policies, "pump_b"))
    for raw in (1, 0, 1, 0, 1, 0):
        assert bench.order(raw, pump_b).status == "done"
    bench.step(47.6)
    answers.append(bench.reason(1, pump_b))
    assert sorted(answers) == sorted(REFUSALS)
