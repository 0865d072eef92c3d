"""`piio agent` as a person types it."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "piio", "agent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20)


def test_a_wrong_file_ends_it_with_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("nmae = 'x'")
    done = agent("--config", str(file), "--url", "mqtt://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "the key 'nmae' is unknown" in done.stderr


def test_a_password_never_shows_in_what_it_says() -> None:
    done = agent("--simulate", "--url", "http://a:hunter2@here")
    assert done.returncode == 2
    assert "hunter2" not in done.stderr + done.stdout


def test_a_second_agent_leaves_the_firsts_files_alone(desk: Any, spawn: Any, tmp_path: Path) -> None:
    spawn()
    desk.wait_for("status", "online")
    second = spawn()
    assert any("belongs to an agent that is running: nothing is kept on disk" in line for line in second.stderr)
