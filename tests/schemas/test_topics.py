"""The topic table: one row per topic, one writer, and rights made from it."""

import pytest

from piio_schemas import topics
from piio_schemas.rights import Right, rights
from piio_schemas.roles import Role, may_act_as
from piio_schemas.topics import TABLE, Topic, match

LEVELS = {
    "agent": "demo", "interface": "gpio", "channel": "17", "point": "pump", "user": "anna", "rest": "a/b",
    "instance": "w1", "id": "d1",
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.pattern)
def test_every_topic_is_found_again_with_its_levels(row: Topic) -> None:
    levels = {level: LEVELS[level] for level in row.levels}
    found = match(row.at(**levels))
    assert found is not None
    assert (found.topic, found.levels) == (row, levels)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.pattern)
def test_another_prefix_is_another_installation(row: Topic) -> None:
    levels = {level: LEVELS[level] for level in row.levels}
    topic = row.at("other", **levels)
    assert match(topic) is None
    found = match(topic, "other")
    assert found is not None and found.topic is row


def test_the_bridge_is_no_agent() -> None:
    found = match("piio/bridge/status")
    assert found is not None and found.topic is topics.BRIDGE_STATUS


def test_a_strangers_topic_is_in_no_row() -> None:
    assert match("piio/demo/something/else") is None
    assert match("home/lamp") is None


def test_what_causes_an_action_is_never_retained() -> None:
    assert not [row.pattern for row in TABLE if row.retained and row.pattern.endswith("/set")]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.pattern)
def test_states_have_one_writer_beside_the_bridge(row: Topic) -> None:
    if row.retained:
        assert len(row.write - {Role.BRIDGE}) <= 1


def test_an_agent_writes_only_below_its_own_name() -> None:
    written = [right.filter for right in rights("demo", Role.AGENT) if "write" in right.access]
    assert written and all(filter.startswith("piio/demo/") for filter in written)


def test_nobody_but_the_bridge_may_write_to_a_channel() -> None:
    for role in set(Role) - {Role.BRIDGE}:
        granted = [right for right in rights("demo", role) if right.filter.endswith("/raw/+/+/set")]
        assert all(right.access == "read" and role is Role.AGENT for right in granted)


def test_a_viewer_sets_nothing_and_an_operator_does() -> None:
    allowed = Right("piio/+/value/+/set", "write")
    assert allowed not in rights("vera", Role.VIEWER)
    assert allowed in rights("otto", Role.OPERATOR)
    assert allowed in rights("anna", Role.ADMIN)


def test_a_scope_names_its_boards_one_by_one() -> None:
    filters = [right.filter for right in rights("otto", Role.OPERATOR, boards=["lab-1", "lab-2"])]
    assert "piio/lab-1/value/+/set" in filters and "piio/lab-2/value/+/set" in filters
    assert not [filter for filter in filters if filter.startswith("piio/+/")]


def test_people_read_answers_to_themselves_alone() -> None:
    replies = [right.filter for right in rights("vera", Role.VIEWER) if "/reply/" in right.filter]
    assert replies == ["piio/reply/vera/#"]


def test_a_role_includes_the_ones_before() -> None:
    assert may_act_as(Role.ADMIN, Role.OPERATOR)
    assert not may_act_as(Role.VIEWER, Role.OPERATOR)
    assert not may_act_as(Role.AGENT, Role.VIEWER)


def test_who_has_some_boards_only_has_no_right_that_concerns_all_of_them() -> None:
    filters = [right.filter for right in rights("otto", Role.OPERATOR, boards=["lab-1"])]
    assert "piio/lab-1/request/audit" in filters and "piio/bridge/request/audit" not in filters
    assert Right("piio/bridge/request/audit", "write") in rights("otto", Role.OPERATOR)
    assert Right("piio/bridge/request/audit", "write") not in rights("vera", Role.VIEWER)


def test_nobody_but_the_web_app_may_say_whom_it_acts_for() -> None:
    granted = [role for role in set(Role) - {Role.BRIDGE} for right in rights("demo", role) if "acted" in right.filter]
    assert granted == [Role.WEBAPP]
