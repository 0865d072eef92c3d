"""The commands for people: what is printed, what goes to stderr, and how they exit."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Piio = Callable[..., Any]


@pytest.fixture
def silence() -> Iterator[str]:
    """A broker's address where somebody listens and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"mqtt://otto:x@127.0.0.1:{server.getsockname()[1]}"


def test_get_prints_a_plain_number(piio: Piio, bridge: Any) -> None:
    done = piio("get", "demo/tank", user="vera")
    assert (done.status, done.out, done.err) == (0, "62.5\n", "")


def test_get_of_what_is_not_good_prints_the_last_value_and_says_so(piio: Piio, bridge: Any) -> None:
    bridge.say("piio/demo/quality/tank", "stale: demo is offline")
    done = piio("get", "demo/tank")
    assert (done.status, done.out) == (3, "62.5\n")
    assert "stale: demo is offline" in done.err


def test_get_of_a_point_that_is_not_there_says_which_there_are(piio: Piio, bridge: Any) -> None:
    done = piio("get", "demo/tnk")
    assert (done.status, done.out) == (1, "")
    assert "tank, pump" in done.err


def test_get_prints_json_for_scripts(piio: Piio, bridge: Any) -> None:
    document = json.loads(piio("get", "demo/tank", "--json").out)
    assert (document["value"], document["quality"], document["unit"]) == (62.5, "good", "%")


def test_ls_shows_boards_points_units_and_qualities_without_colour_in_a_pipe(piio: Piio, bridge: Any) -> None:
    done = piio("ls")
    assert done.status == 0 and "\x1b" not in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert ["demo", "online", "a", "simulated", "board"] in lines
    assert ["tank", "62.5", "%", "good", "Tank", "level"] in lines


def test_ls_prints_json_for_scripts(piio: Piio, bridge: Any) -> None:
    (board,) = [board for board in json.loads(piio("ls", "--json").out) if board["name"] == "demo"]
    assert board["status"] == "online" and board["points"]["tank"]["value"] == 62.5


def test_ls_of_a_board_that_is_not_there(piio: Piio, bridge: Any) -> None:
    done = piio("ls", "nobody")
    assert done.status == 1 and "no board 'nobody'" in done.err


def test_set_exits_0_when_it_is_done(piio: Piio, bridge: Any) -> None:
    done = piio("set", "demo/pump", "1", "--pulse", "0.5")
    assert (done.status, done.out, done.err) == (0, "demo/pump done\n", "")
    assert (bridge.sets[0]["value"], bridge.sets[0]["pulse"]) == (1, 0.5)
    assert "beacon" in bridge.sets[0]


@pytest.mark.parametrize("value", ["ON", "toggle", "-1.5"])
def test_set_takes_words_and_numbers(piio: Piio, bridge: Any, value: str) -> None:
    assert piio("set", "demo/pump", value).status == 0


def test_set_that_is_refused_says_why_and_exits_1(piio: Piio, bridge: Any) -> None:
    bridge.outcome = {"status": "refused", "reason": "2 is more than a digital line can take"}
    done = piio("set", "demo/pump", "2")
    assert (done.status, done.out) == (1, "")
    assert "refused: 2 is more" in done.err


def test_set_prints_its_result_as_json(piio: Piio, bridge: Any) -> None:
    bridge.outcome = {"status": "expired", "reason": "too old"}
    done = piio("set", "demo/pump", "1", "--json")
    assert done.status == 1 and json.loads(done.out)["status"] == "expired"


def test_set_without_a_broker_fails_within_5_seconds(piio: Piio) -> None:
    done = piio("set", "demo/pump", "1", url="mqtt://otto:x@127.0.0.1:1")
    assert done.status == 1 and "127.0.0.1:1" in done.err and done.seconds < 5


def test_set_at_a_broker_that_never_answers_fails_within_5_seconds(piio: Piio, silence: str) -> None:
    done = piio("set", "demo/pump", "1", url=silence)
    assert done.status == 1 and done.err and done.seconds < 5


def test_set_without_a_bridge_fails_within_5_seconds(piio: Piio, bridge: Any) -> None:
    bridge.stop()
    done = piio("set", "demo/pump", "1")
    assert done.status == 1 and "bridge" in done.err and done.seconds < 5


@pytest.mark.parametrize("ttl", ["1.5", "5"])
def test_set_that_nobody_answers_fails_within_5_seconds_and_nothing_acts_later(
    piio: Piio, bridge: Any, ttl: str
) -> None:
    bridge.outcome = None
    done = piio("set", "demo/pump", "1", "--ttl", ttl)
    assert done.status == 1 and "outcome unknown" in done.err and done.seconds < 5
    assert bridge.sets[0]["ttl"] <= done.seconds


def test_set_by_a_viewer_is_not_allowed(piio: Piio, bridge: Any) -> None:
    done = piio("set", "demo/pump", "1", user="vera")
    assert done.status == 1 and "not allowed" in done.err and bridge.sets == []


@pytest.mark.parametrize("value", ["open", "nan", "inf", ""])
def test_set_of_nonsense_is_refused_without_sending_it(piio: Piio, bridge: Any, value: str) -> None:
    done = piio("set", "demo/pump", value)
    assert done.status == 1 and done.err and "Traceback" not in done.err and bridge.sets == []


def test_watch_prints_a_line_for_every_change(piio: Piio, bridge: Any) -> None:
    done = piio("watch", "demo/tank", "demo/pump", "--count", "2")
    assert done.status == 0
    assert sorted(line.split(" ", 1)[1] for line in done.out.splitlines()) == ["demo/pump 0", "demo/tank 62.5 %"]


def test_watch_says_that_it_waits_for_a_point_that_is_not_there(piio: Piio, bridge: Any) -> None:
    done = piio("watch", "demo/tnk", "demo/tank", "--count", "1")
    assert done.status == 0 and "no point 'tnk'" in done.err and "demo/tank" in done.out


def test_watch_prints_a_json_document_a_line(piio: Piio, bridge: Any) -> None:
    (line,) = piio("watch", "demo/tank", "--count", "1", "--json").out.splitlines()
    document = json.loads(line)
    assert (document["name"], document["value"]) == ("demo/tank", 62.5) and document["time"] > 0


def test_watch_ends_quietly_at_ctrl_c(broker: Any, bridge: Any) -> None:
    command = [sys.executable, "-c", "import sys; from piio.command import main; sys.exit(main())", "watch", "demo"]
    environment = {**os.environ, "PIIO_URL": broker.url()}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whoever runs this may ignore it: inherited
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert "demo/" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, "")


def test_config_prints_the_document(piio: Piio, bridge: Any) -> None:
    done = piio("config", "demo")
    assert done.status == 0 and json.loads(done.out)["points"]["tank"]["unit"] == "%"


def test_config_changes_by_a_patch_from_stdin(piio: Piio, bridge: Any) -> None:
    patch = {"points": {"tank": {"unit": "l"}}}
    done = piio("config", "demo", "--set", "-", "--base-revision", "7", user="anna", stdin=json.dumps(patch))
    assert (done.status, done.out) == (0, "demo is at revision 8\n")
    assert bridge.requests[0][1] == {"base_revision": 7, "patch": patch, "by": "anna"}


def test_config_puts_back_what_it_printed(piio: Piio, bridge: Any, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(piio("config", "demo").out)
    assert piio("config", "demo", "--file", "demo.json", user="anna").status == 0
    request = bridge.requests[0][1]
    assert set(request["config"]) == {"points", "displays"}


def test_config_names_every_path_that_is_refused(piio: Piio, bridge: Any) -> None:
    errors = [{"path": "points.a.period", "message": "got 0"}, {"path": "base_revision", "message": "is 9 now"}]
    bridge.answer = {"ok": False, "errors": errors}
    done = piio("config", "demo", "--set", "-", user="anna", stdin="{}")
    assert done.status == 1
    assert "points.a.period: got 0" in done.err and "base_revision: is 9 now" in done.err


@pytest.mark.parametrize("stdin", ["", "[]", "{", '{"a": NaN}'])
def test_config_refuses_what_is_no_document_before_it_connects(piio: Piio, stdin: str) -> None:
    done = piio("config", "demo", "--set", "-", url="mqtt://127.0.0.1:1", stdin=stdin)
    assert done.status == 1 and "stdin" in done.err


def test_config_lists_revisions_and_restores_one(piio: Piio, bridge: Any) -> None:
    bridge.answer = {"revisions": [{"revision": 7, "updated": "2026-11-21T09:30:00Z", "by": "anna"}]}
    assert piio("config", "demo", "--revisions").out.split() == ["7", "2026-11-21T09:30:00Z", "anna"]
    bridge.answer = {"ok": True, "revision": 8, "warnings": ["adc has no channel 9"]}
    done = piio("config", "demo", "--restore", "5", user="anna")
    assert done.status == 0 and "warning: adc has no channel 9" in done.err


def test_history_prints_buckets(piio: Piio, bridge: Any) -> None:
    bridge.answer = {"buckets": [[1795253400, 1, 3, 2.5]]}
    done = piio("history", "demo/tank", "--since", "15m", "--buckets", "3")
    assert done.status == 0 and done.out.split()[2:] == ["1", "3", "2.5"]
    request = bridge.requests[0][1]
    assert request["end"] - request["start"] == 900 and request["buckets"] == 3
    assert json.loads(piio("history", "demo/tank", "--json").out) == [[1795253400, 1, 3, 2.5]]


def test_history_says_where_nobody_knows_what_the_value_was(piio: Piio, bridge: Any) -> None:
    bridge.answer = {"buckets": [[1000, 1, 3, 2.5], [1100, 4, 4, 4]], "gaps": [[1020, 1095.5]]}
    lines = piio("history", "demo/tank").out.splitlines()
    assert [len(line.split()) for line in lines] == [5, 7, 5]
    assert "not known until" in lines[1]
    told = json.loads(piio("history", "demo/tank", "--json").out)
    assert told == [[1000, 1, 3, 2.5], [1020, None, None, None], [1100, 4, 4, 4]]


def test_doctor_finds_broker_and_bridge(piio: Piio, bridge: Any) -> None:
    findings = {finding["part"]: finding for finding in json.loads(piio("doctor", "--json").out)}
    assert findings["python"]["ok"] and findings["broker"]["ok"] and findings["bridge"]["ok"]


def test_doctor_says_what_to_do_about_what_is_missing(piio: Piio, bridge: Any) -> None:
    bridge.stop()
    done = piio("doctor")
    assert done.status == 1
    assert "bridge" in done.out and "-> start it with" in done.out
    done = piio("doctor", url="mqtt://otto:x@127.0.0.1:1")
    assert done.status == 1 and "is it running" in done.out


def test_doctor_tells_of_every_bad_point_of_a_board_that_is_there(piio: Piio, bridge: Any) -> None:
    why = "bad: GPIO17 is held by 'pump-daemon': stop that program, or choose another channel"
    bridge.say("piio/demo/quality/pump", why)
    done = piio("doctor")
    assert done.status == 1
    assert f"demo/pump is {why}" in done.out and "demo/tank" not in done.out
    bridge.say("piio/demo/status", "offline")
    assert "pump-daemon" not in piio("doctor").out


def test_nobody_says_where_the_broker_is(piio: Piio) -> None:
    done = piio("ls", url=None)
    assert done.status == 1
    assert "piio up" in done.err and "PIIO_URL" in done.err and "--url" in done.err


def test_the_broker_is_found_in_the_state_folder_of_up(piio: Piio, broker: Any, bridge: Any, tmp_path: Path) -> None:
    lines = f"PIIO_URL={broker.url('otto')}\nPIIO_ADMIN_URL={broker.url('anna')}\n"
    for folder in ("var", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "env").write_text(lines)
    assert piio("get", "demo/tank", url=None).out == "62.5\n"
    assert piio("get", "demo/tank", "--state", "other", url="mqtt://127.0.0.1:1").out == "62.5\n"
    assert piio("config", "demo", "--set", "-", url=None, stdin="{}").status == 0
    assert bridge.requests[0][1]["by"] == "anna"


@pytest.mark.parametrize("command", ["ls", "get", "set", "watch", "config", "history", "doctor"])
def test_every_command_explains_itself_with_an_example_and_its_exit_status(piio: Piio, command: str) -> None:
    done = piio(command, "--help")
    assert done.status == 0
    assert f"  piio {command}" in done.out or "| piio" in done.out
    assert "exit status:" in done.out
