"""Everything of an installation in one file, and back again, by the `piio` command."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from piio import connect
from piio.archive import SQLITE
from tests.conftest import PIIO, RunningInstallation, StartUp, simulated_installation
from tests.witness import Witness, all_is_right


def piio(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PIIO, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInstallation]:
    with simulated_installation(tmp_path_factory.mktemp("backup")) as started:
        yield started


@pytest.fixture(scope="module")
def backup(running: RunningInstallation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the running installation, whose lamp is called `Kept`."""
    with connect(running.env["PIIO_ADMIN_URL"]) as admin:
        assert admin.configure("demo", {"points": {"lamp": {"label": "Kept"}}}).ok
        assert admin.set("demo/lamp", 1).done
        assert admin.set("demo/lamp", 0).done
        assert admin.history("demo/lamp"), "what is asked for is written first"
    file = tmp_path_factory.mktemp("files") / "backup.tar.gz"
    made = piio("backup", file, "--state", running.state)
    assert made.returncode == 0, made.stderr
    return file


def folders(state: Path) -> list[str]:
    return sorted(path.name for path in state.iterdir() if path.name.startswith((".", "before-")))


def test_a_backup_is_one_private_file_with_a_manifest(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    with tarfile.open(backup) as archive:
        names = archive.getnames()
        assert names[0] == "manifest.json"
        manifest = json.load(archive.extractfile(names[0]))  # type: ignore[arg-type]
        database = archive.extractfile("bridge.db")
        assert database is not None and database.read(16) == SQLITE
    assert sorted(manifest["files"]) == sorted(names[1:])
    assert {"bridge.db", "webapp.db", "webapp.key", "env", "broker/identities.json"} <= set(names)
    assert not [name for name in names if name.endswith(("-wal", "-shm", ".lock", ".leader", ".pid", ".log"))]
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]


def test_a_restored_installation_has_the_same_people_configuration_and_history(
    running: RunningInstallation, backup: Path, tmp_path: Path, start_up: StartUp
) -> None:
    state = tmp_path / "restored"
    with connect(running.env["PIIO_ADMIN_URL"]) as admin:
        configuration = admin.configuration("demo")
    restored = piio("restore", backup, "--state", state)
    assert restored.returncode == 0, restored.stderr
    again = start_up(state=state)
    again.wait_until_running()
    assert again.env["PIIO_WEB_PASSWORD"] == running.env["PIIO_WEB_PASSWORD"]
    witness = Witness(state)
    witness.wait(all_is_right)
    witness.act("lamp", 1)
    witness.close()
    with connect(again.env["PIIO_ADMIN_URL"]) as admin:
        found = admin.configuration("demo")
        assert {key: found[key] for key in ("store", "points", "displays")} == {
            key: configuration[key] for key in ("store", "points", "displays")
        }
        assert found["points"]["lamp"]["label"] == "Kept"
        assert admin.history("demo/lamp", end=backup.stat().st_mtime)


def test_nothing_is_restored_over_a_running_installation(running: RunningInstallation, backup: Path) -> None:
    refused = piio("restore", backup, "--state", running.state, "--force")
    assert refused.returncode == 1
    assert "is running" in refused.stderr
    assert "stop it first" in refused.stderr
    assert folders(running.state) == []


def test_what_is_there_is_replaced_only_by_force_and_kept(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("mine")
    refused = piio("restore", backup, "--state", tmp_path)
    assert (refused.returncode, (tmp_path / "env").read_text()) == (1, "mine")
    assert "--force" in refused.stderr
    forced = piio("restore", backup, "--state", tmp_path, "--force")
    assert forced.returncode == 0, forced.stderr
    [aside] = folders(tmp_path)
    assert (tmp_path / aside / "env").read_text() == "mine"
    assert "PIIO_URL" in (tmp_path / "env").read_text()
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["cut off", "another file"])
def test_a_damaged_backup_changes_nothing(backup: Path, tmp_path: Path, damage: str) -> None:
    file, state = tmp_path / "damaged.tar.gz", tmp_path / "state"
    state.mkdir()
    (state / "env").write_text("mine")
    if damage == "cut off":
        file.write_bytes(backup.read_bytes()[: backup.stat().st_size * 2 // 3])
    else:
        _with_another_file(backup, file)
    refused = piio("restore", file, "--state", state, "--force")
    assert refused.returncode == 1
    assert "backup" in refused.stderr
    assert (state / "env").read_text() == "mine"
    assert folders(state) == []


def test_there_is_no_backup_of_nothing(tmp_path: Path) -> None:
    made = piio("backup", tmp_path / "b.tar.gz", "--state", tmp_path)
    assert made.returncode == 1
    assert "there is no installation" in made.stderr
    assert list(tmp_path.iterdir()) == []


def _with_another_file(backup: Path, file: Path) -> None:
    """Write an archive whose `env` is not what its manifest says."""
    with tarfile.open(backup) as source, tarfile.open(file, "w:gz") as target:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            if member.name == "env":
                changed = content.read().replace(b"PIIO_URL", b"EVIL_URL")
                (file.parent / "env").write_bytes(changed)
                target.add(file.parent / "env", "env")
            else:
                target.addfile(member, content)
