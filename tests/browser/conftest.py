"""Chromium, and the whole product to point it at. Everything in this folder is a browser test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.people import People
from tests.parts.dashboard import Dashboard
from tests.parts.engine import Engine
from tests.parts.programs import require_program

HERE = Path(__file__).parent
WIDE = {"width": 1280, "height": 900}
CHROMIUM_OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Dashboard]:
    """The product as `make run` starts it; its first start has seeded the demo account."""
    started = Dashboard(tmp_path_factory.mktemp("dashboard"), engine.url)
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser, dashboard: Dashboard) -> Iterator[Callable[..., Page]]:
    """Give pages of people who share nothing; options are those of a browser context, such as `viewport`.

    A page's own error (JavaScript, blocked content) fails the test at its end.
    """
    contexts = []
    problems: list[str] = []

    def make(**options: Any) -> Page:
        context = chromium.new_context(**{"base_url": dashboard.url, "viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not problems, problems


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture(scope="session")
def people(dashboard: Dashboard) -> People:
    """Who the first start's output says may sign in."""
    return People(dashboard)
