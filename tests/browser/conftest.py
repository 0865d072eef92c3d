"""Fixtures: a real Chromium and a board that a real web app shows."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.webapp.bench import Bench
from tests.webapp.stage import PASSWORD, Stage


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage(tmp_path_factory.mktemp("stage"))
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def bench(stage: Stage) -> Bench:
    return Bench(stage)


@pytest.fixture(scope="package")
def logged_in(chromium: Browser, stage: Stage) -> Callable[[str], Any]:
    """Logs a person in by the form, once, and gives the cookies."""

    @functools.cache
    def cookies(name: str) -> Any:
        with chromium.new_context(base_url=stage.url) as context:
            page = context.new_page()
            page.goto("/login")
            page.fill("[name=name]", name)
            page.fill("[name=password]", PASSWORD)
            page.click("button[type=submit]")
            page.get_by_role("button", name="Log out").wait_for()
            return context.storage_state()

    return cookies


@pytest.fixture
def browse(chromium: Browser, stage: Stage, logged_in: Callable[[str], Any]) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody who has logged in by the form; a script's error anywhere fails the test."""
    contexts, errors = [], []

    def open_page(name: str, path: str, **options: Any) -> Page:
        context = chromium.new_context(base_url=stage.url, storage_state=logged_in(name), **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Security Policy" in message.text else None)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
