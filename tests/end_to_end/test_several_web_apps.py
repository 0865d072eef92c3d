"""Two web apps behind one address are one to whoever uses them, and lose nothing but what a lost server held."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Shown

from piio_schemas.roles import Role
from piio_webapp import people
from tests.end_to_end.several_web_apps import STARTED, SeveralWebApps
from tests.webapp.bench import Bench
from tests.webapp.stage import PASSWORD, Page, Visitor, eventually

pytestmark = pytest.mark.timeout(120)  # the first test waits for all the programs

NO_WEB_SOCKETS = """
window.WebSocket = class {
    constructor() { setTimeout(() => this.onerror(new Event("error"))); }
    close() {}
}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeveralWebApps]:
    opened = SeveralWebApps(tmp_path_factory.mktemp("several"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bench(stage: SeveralWebApps) -> Bench:
    return Bench(stage)


@pytest.fixture
def person(stage: SeveralWebApps, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An operator of a fresh name."""
    monkeypatch.setenv(people.DATABASE, stage.database)
    name = f"p{abs(hash(request.node.name))}"
    people.added(stage.state, name, Role.OPERATOR, PASSWORD)
    return name


@pytest.fixture
def shown(stage: SeveralWebApps, bench: Bench, chromium: Browser) -> Iterator[Callable[[str], Shown]]:
    """Shows a page at the address to the admin, in a real browser."""
    with chromium.new_context(base_url=stage.url, viewport={"width": 800, "height": 300}) as context:

        def show(path: str) -> Shown:
            page = context.new_page()
            page.set_default_timeout(10_000)
            (cookie,) = bench.admin.cookies
            context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": stage.url}])
            page.goto(path)
            return page

        yield show


def pages(stage: SeveralWebApps, visitor: Visitor, agent: str) -> tuple[Page, Page]:
    """A page at each web app, of one browser that has logged in."""
    opened = tuple(stage.at(name, visitor).page() for name in ("a", "b"))
    for page in opened:
        page.look(agent)
    return opened


def switch(page: Page, agent: str, value: float) -> None:
    """Set the lamp; a page that is behind, or a web app that has just started, refuses at first."""
    page.wait(lambda: page.set(agent, "lamp", value)["status"] == "done", f"the lamp set to {value}")


def told(page: Page, kind: str, key: str) -> Any:
    """The newest that a page was told of a reading."""
    return next((frame[kind][key] for frame in reversed(page.frames) if key in frame.get(kind, {})), None)


def log_out(visitor: Visitor) -> None:
    token = visitor.get("/audit").text.split('name="csrf_token" value="')[1].split('"')[0]
    visitor.get("/logout", {"csrf_token": token})


def test_a_log_in_at_the_address_is_one_at_both_and_who_logs_out_at_one_is_out_at_the_other(
    stage: SeveralWebApps, bench: Bench, person: str
) -> None:
    visitor = stage.visitor(person)
    here, there = pages(stage, visitor, bench.name)
    assert here.frames[-1]["boot"] != there.frames[-1]["boot"]
    log_out(stage.at("a", visitor))
    there.wait(lambda: there.sent_away, "word from the other web app")
    assert here.closed() and there.closed()
    assert "/login" in stage.at("b", visitor).get("/").url


@pytest.mark.parametrize("change", ["removed", "changed"])
def test_who_is_removed_or_gets_another_role_is_out_at_both(
    stage: SeveralWebApps, bench: Bench, person: str, change: str
) -> None:
    here, there = pages(stage, stage.visitor(person), bench.name)
    if change == "removed":
        people.removed(stage.state, person)
    else:
        people.changed(stage.state, person, role=Role.VIEWER)
    assert here.closed() and there.closed()


def test_wrong_passwords_are_counted_over_both(stage: SeveralWebApps, person: str) -> None:
    ways = [Visitor(stage.url_of("ab"[n % 2]), f"127.0.1.{n + 1}") for n in range(11)]
    assert [way.log_in(person, "wrong").status for way in ways] == [401] * 10 + [429]


def test_pages_at_both_see_the_same_values_notes_and_stops(stage: SeveralWebApps, bench: Bench) -> None:
    here, there = pages(stage, bench.admin, bench.name)
    here.wait(lambda: told(here, "qualities", "lamp") == "good", "a lamp")
    switch(here, bench.name, 1)
    for page in (here, there):
        page.wait(lambda page=page: told(page, "values", "lamp") == 1, "the lamp on")
    bench.configure({"points": {"lamp": {"label": "Light"}}}, here)
    for page in (here, there):
        page.wait(lambda page=page: notes(page, "config"), "word of the configuration")
        assert notes(page, "config")[-1] == {"kind": "config", "agent": bench.name, "by": "anna"}
    assert there.ask("stop", agent=None)["status"] == "done"
    for page in (here, there):
        page.wait(lambda page=page: told(page, "values", "lamp") == 0, "the lamp off")


def notes(page: Page, kind: str) -> list[dict[str, Any]]:
    return [note for frame in page.frames for note in frame.get("notes", ()) if note["kind"] == kind]


def test_a_board_that_is_looked_at_at_either_is_read_at_its_period(stage: SeveralWebApps, bench: Bench) -> None:
    leases: dict[str, Any] = {}
    connection = stage.connection(lambda message: leases.update({message.topic: json.loads(message.payload)}))
    connection.subscribe([("piio/+/viewers/#", 0)])
    for name in ("a", "b"):
        stage.at(name, bench.admin).page().look(f"board-{name}")
        lease = f"piio/board-{name}/viewers/webapp"
        assert eventually(lambda lease=lease: leases.get(lease), "a lease") == {"seconds": 15}
    connection.close()


@pytest.fixture
def statuses(stage: SeveralWebApps) -> Iterator[Callable[[], list[str]]]:
    """What the web apps say of themselves."""
    heard: dict[str, str] = {}
    connection = stage.connection(lambda message: heard.update({message.topic: message.payload.decode()}))
    connection.subscribe([("piio/webapp/+/status", 1)])
    yield lambda: sorted(heard.values())
    connection.close()


def test_each_has_a_status_and_pages_outlive_their_web_app_with_all_they_show(
    stage: SeveralWebApps, bench: Bench, shown: Callable[[str], Shown], statuses: Callable[[], list[str]]
) -> None:
    """Both are killed in turn, so that the page was at one of them."""
    page = shown(f"/board/{bench.name}")
    lamp = page.locator("piio-button").get_by_role("button")
    expect(lamp).to_have_attribute("aria-pressed", re.compile("true|false"))
    page.evaluate("window.same = true; window.scrollTo(0, 120)")
    for killed, other in (("a", "b"), ("b", "a")):
        eventually(lambda: statuses() == ["online", "online"], "both", STARTED)
        survivor = stage.at(other, bench.admin).page()
        survivor.look(bench.name)
        stage.webapps[killed].stop(signal.SIGKILL)
        eventually(lambda: statuses() == ["offline", "online"], "one that says so")
        for value, pressed in ((1, "true"), (0, "false")):
            switch(survivor, bench.name, value)
            expect(lamp).to_have_attribute("aria-pressed", pressed)
        expect(page.locator("#banner")).to_be_hidden()
        assert page.evaluate("[window.same, window.scrollY]") == [True, 120]
        stage.webapps[killed].start()
    eventually(lambda: statuses() == ["online", "online"], "both", STARTED)


def test_where_no_web_socket_gets_through_pages_poll_always_the_same_web_app(
    bench: Bench, shown: Callable[[str], Shown]
) -> None:
    page = shown("/")
    page.add_init_script(NO_WEB_SOCKETS)
    polls: list[str] = []
    page.on("response", lambda response: polls.append(f"{response.status} {response.url}"))
    page.goto(f"/board/{bench.name}")
    expect(page.locator("piio-numeric").first).to_contain_text(re.compile(r"\d"))
    told = [poll for poll in polls if "transport=polling" in poll]
    assert len(told) > 3 and all(poll.startswith("200") for poll in told)


def test_without_redis_all_goes_on_and_who_logs_out_is_out_a_little_later(
    stage: SeveralWebApps, bench: Bench, person: str
) -> None:
    here, there = pages(stage, stage.visitor(person), bench.name)
    stage.redis.kill()
    visitor = stage.visitor(person)
    another, elsewhere = pages(stage, visitor, bench.name)
    for page in (here, there, another, elsewhere):
        switch(page, bench.name, 1)
    log_out(stage.at("a", visitor))
    assert another.closed() and elsewhere.closed()
    assert not elsewhere.sent_away
    assert "Cannot publish to redis... giving up: " in (stage.folder / "webapp-a.log").read_text()
    stage.redis.start()
    here.close()
    there.close()


def test_without_the_database_open_pages_go_on_and_may_stop_what_is_on(stage: SeveralWebApps, bench: Bench) -> None:
    here, there = pages(stage, bench.admin, bench.name)
    switch(here, bench.name, 1)
    stage.postgresql.kill()
    refused = there.set(bench.name, "lamp", 0)
    assert refused["status"] == "refused" and "database of who is logged in" in refused["reason"]
    assert bench.admin.get("/audit").status == 503
    assert there.ask("stop", agent=bench.name)["status"] == "done"
    here.wait(lambda: told(here, "values", "lamp") == 0, "the lamp off")
    stage.postgresql.start()
    switch(there, bench.name, 1)
