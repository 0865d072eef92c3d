"""What an agent keeps on disk."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from piio_agent.channel import ChannelId
from piio_agent.clock import ManualClock
from piio_agent.storage import LastOutputs, StoredConfiguration
from piio_schemas.configuration import Configuration, InputPoint

PATIENCE = 8.0

LAMP, FAN, PUMP = (ChannelId("gpio", channel) for channel in ("17", "18", "19"))


def save(memory: LastOutputs, *what: Mapping[ChannelId, float | None]) -> None:
    memory.save(*what)  # type: ignore[arg-type]
    memory.finish(PATIENCE)


def test_the_last_good_configuration_is_read_back(tmp_path: Path) -> None:
    configuration = Configuration(store="s", revision=3, points={"tank": InputPoint(interface="adc", channel="0")})
    stored = StoredConfiguration(tmp_path / "new" / "config.json")
    stored.keep(Configuration(store="s", revision=2))
    stored.keep(configuration)
    stored.finish(5)
    assert StoredConfiguration(tmp_path / "new" / "config.json").load() == configuration


@pytest.mark.parametrize("text", ['{"revision": ', '{"points": {"x": {}}}', "[]", ""])
def test_a_broken_configuration_is_moved_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    assert StoredConfiguration(path).load() is None
    assert (tmp_path / "config.broken").read_text() == text
    assert not path.exists()


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    stored = StoredConfiguration(tmp_path / "file" / "config.json")
    stored.keep(Configuration())
    stored.finish(5)


def test_the_last_outputs_are_believed_for_a_minute(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "outputs.json"
    save(LastOutputs(path, clock), {LAMP: 0.5})
    clock.advance(59)
    assert LastOutputs(path, clock).recall(LAMP) == 0.5
    clock.advance(2)
    assert LastOutputs(path, clock).recall(LAMP) is None


def test_since_when_an_output_is_off_is_believed_within_this_boot(tmp_path: Path) -> None:
    clock = ManualClock()
    clock.advance(5)
    path = tmp_path / "outputs.json"
    save(LastOutputs(path, clock), {}, {LAMP: 2.5, FAN: None})
    clock.advance(3600)
    found = LastOutputs(path, clock)
    assert [found.recall_off(each) for each in (LAMP, FAN, PUMP)] == [2.5, 3605.0, None]


def test_the_last_outputs_of_another_boot_of_the_machine_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    path = tmp_path / "outputs.json"
    save(LastOutputs(path, clock), {LAMP: 0.5})
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("another")
    monkeypatch.setattr("piio_agent.storage.BOOT_ID", boot_id)
    assert LastOutputs(path, clock).recall(LAMP) is None


def test_broken_last_outputs_are_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    path.write_text("{")
    assert LastOutputs(path, ManualClock()).recall(LAMP) is None
    assert (tmp_path / "outputs.broken").exists()
