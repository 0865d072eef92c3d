"""What a person gets who asks for history."""

import json
from pathlib import Path
from typing import Any

from piio_bridge.control.board import BoardRecord
from piio_bridge.control.requests import Requests
from piio_bridge.store.database import open_database
from piio_bridge.store.history import History
from piio_schemas.configuration import read_configuration
from piio_schemas.topics import REQUEST_HISTORY
from tests.apart import run_apart


class StoppedClock:
    def boottime(self) -> float:
        return 1.0

    def unix(self) -> float:
        return 1795240829.7891


def test_history_until_now_has_the_value_of_this_very_millisecond(tmp_path: Path) -> None:
    clock, board = StoppedClock(), BoardRecord("demo")
    board.configuration = read_configuration({"points": {"tank": {"interface": "adc", "channel": "0"}}})
    history = History(open_database(f"sqlite:///{tmp_path}/history.db"))
    history.keep([("demo", "tank", int(clock.unix() * 1000), 5.0)])
    others: Any = None
    requests = Requests({"demo": board}, others, others, history, others, others, clock)
    request = requests.carry_out(REQUEST_HISTORY, "demo", b'{"point": "tank"}', "")
    answer = json.loads(run_apart(request))
    assert [bucket[1:] for bucket in answer["buckets"]] == [[5.0, 5.0, 5.0]]
