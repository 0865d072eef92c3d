"""Who gets in, and who does not."""

import itertools

import pytest
import simple_websocket

from piio_schemas.roles import Role
from piio_webapp import people
from piio_webapp.errors import PersonError
from tests.webapp.bench import Bench
from tests.webapp.stage import PASSWORD, Stage, Visitor

PAGES = ("/board/bench1", "/board/bench1/configure", "/displays/", "/displays/numeric.js")
_names = itertools.count(1)


@pytest.fixture
def newcomer(stage: Stage) -> str:
    """A person of a fresh name, so that throttling meets nobody else."""
    name = f"newcomer{next(_names)}"
    people.added(stage.state, name, Role.OPERATOR, PASSWORD)
    return name


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_log_in_and_back_after_it(stage: Stage, path: str) -> None:
    visitor = stage.visitor()
    form = visitor.get(path)
    assert "/login" in form.url
    assert "Log in" in form.text
    arrived = visitor.log_in("anna", to=path)
    assert arrived.url == stage.url + path


def test_people_arrive_at_the_one_board_that_has_displays(stage: Stage, bench: Bench) -> None:
    visitor = stage.visitor()
    assert visitor.get("/").url == stage.url + "/login"
    assert visitor.log_in("vera").url == f"{stage.url}/board/{bench.name}"
    assert visitor.get("/").url == stage.url + "/"


def test_the_plain_form_lets_a_person_in_with_a_cookie_that_scripts_cannot_read(stage: Stage) -> None:
    visitor = stage.visitor("vera")
    page = visitor.get("/")
    assert "vera" in page.text
    cookie = next(iter(visitor.cookies))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(stage: Stage, newcomer: str) -> None:
    wrong = stage.visitor().log_in(newcomer, "wrong")
    unknown = stage.visitor().log_in("nobody", "wrong")
    assert wrong.status == unknown.status == 401
    assert "The name or the password is wrong" in wrong.text and "The name or the password is wrong" in unknown.text


def test_a_form_of_another_site_is_refused(stage: Stage) -> None:
    assert stage.visitor().get("/login", {"name": "anna", "password": PASSWORD}).status == 400


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_the_log_in_leads_to_no_other_site(stage: Stage, to: str) -> None:
    assert stage.visitor().log_in("anna", to=to).url.startswith(stage.url + "/")


def test_after_logging_out_the_old_cookie_opens_nothing(stage: Stage, newcomer: str) -> None:
    visitor = stage.visitor(newcomer)
    token = visitor.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    page = visitor.page()
    kept = visitor.cookie
    visitor.get("/logout", {"csrf_token": token})
    assert page.closed()
    with pytest.raises(simple_websocket.ConnectionError, match="401"):
        Visitor(stage.url).page(Cookie=kept)


def test_a_removed_person_is_out_at_once_with_every_socket(stage: Stage, newcomer: str) -> None:
    visitor = stage.visitor(newcomer)
    page = visitor.page()
    people.removed(stage.state, newcomer)
    assert page.closed()
    assert "/login" in visitor.get("/").url


def test_a_person_whose_role_changes_logs_in_again(stage: Stage, newcomer: str) -> None:
    visitor = stage.visitor(newcomer)
    people.changed(stage.state, newcomer, role=Role.VIEWER)
    assert "/login" in visitor.get("/").url
    visitor.log_in(newcomer)
    assert "viewer" in visitor.get("/").text


def test_nobody_is_made_twice_and_boards_are_no_people(stage: Stage) -> None:
    with pytest.raises(PersonError, match="'anna' is there already"):
        people.added(stage.state, "anna", Role.VIEWER, "another")
    people.added(stage.state, "bench7", Role.AGENT, "secret")
    assert stage.visitor().log_in("bench7", "secret").status == 401


def test_only_admins_open_the_configuration(stage: Stage) -> None:
    assert stage.visitor("anna").get("/board/bench1/configure").status == 200
    assert stage.visitor("otto").get("/board/bench1/configure").status == 403


def test_the_first_link_lets_the_first_person_in_once(stage: Stage) -> None:
    first = stage.visitor()
    assert "anna" in first.get("/first/first-token").text
    assert stage.visitor().get("/first/first-token").status == 410
    assert stage.visitor().get("/first/another").status == 404


def test_whoever_guesses_is_slowed_down_and_keeps_nobody_else_out(stage: Stage) -> None:
    guesser = Visitor(stage.url, "127.0.0.2")
    statuses = [guesser.log_in("guessed", "wrong").status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert guesser.log_in("anna").status == 429
    assert stage.visitor().log_in("anna").status == 200


def test_a_name_is_not_guessed_from_many_addresses(stage: Stage, newcomer: str) -> None:
    statuses = [Visitor(stage.url, f"127.0.0.{10 + n}").log_in(newcomer, "wrong").status for n in range(11)]
    assert statuses == [401] * 10 + [429]
