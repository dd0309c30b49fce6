"""Signing in with more than a password: passkeys of a virtual authenticator, codes computed as an app does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.browser.people import People
from tests.browser.test_every_page import problems_of
from tests.parts.pages_alone import PagesAlone

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesAlone]:
    """Signing in takes the pages and nothing behind them."""
    started = PagesAlone(tmp_path_factory.mktemp("pages"))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def people(dashboard: PagesAlone) -> People:
    return People(dashboard)


@pytest.fixture
def named(new_page: Callable[..., Page], dashboard: PagesAlone) -> Callable[..., Page]:
    """Give pages that open the dashboard by a host name: browsers allow no passkeys under 127.0.0.1."""

    def make(**options: Any) -> Page:
        return new_page(base_url=f"http://localhost:{dashboard.port}", **options)

    return make


def add_authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def confirm(page: Page, people: People, name: str) -> None:
    expect(page.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    page.get_by_label("Password").fill(people.chosen[name])
    page.get_by_role("button", name="Go on").click()


def code_of(seed: str) -> str:
    return format_hotp_value(hotp_value(seed, int(time.time()) // 30))


def newcomer(people: People, new_page: Callable[..., Page], name: str) -> None:
    people.add(people.sign_in(new_page(), "admin"), name)


def test_a_passkey_is_added_and_signs_in_alone(people: People, named: Callable[..., Page]) -> None:
    newcomer(people, named, "pat")
    page = people.sign_in(named(), "pat")
    add_authenticator(page)
    page.get_by_role("link", name="My sign-in").click()
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page, people, "pat")
    page.get_by_label("Name").fill("blue laptop")
    problems = problems_of(page)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    problems += problems_of(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("blue laptop", exact=True).first).to_be_visible()
    problems += problems_of(page)

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto("/me/login/")
    problems += problems_of(page)
    page.get_by_role("button", name="Sign in with a passkey").press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Hello"))).to_be_visible()

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto("/me/login/")
    page.get_by_label("User name").fill("pat")
    page.get_by_label("Password").fill(people.chosen["pat"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey or security key").click()
    expect(page.get_by_role("heading", name=re.compile("^Hello"))).to_be_visible()
    assert not problems, problems


def test_a_cancelled_passkey_says_so_and_signs_nobody_in(named: Callable[..., Page]) -> None:
    page = named()
    page.goto("/me/login/")
    add_authenticator(page)  # it has no passkey of this site
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done")


def test_an_app_is_set_up_and_its_code_signs_in_on_a_phone(people: People, named: Callable[..., Page]) -> None:
    newcomer(people, named, "toni")
    page = people.sign_in(named(viewport={"width": 360, "height": 780}, has_touch=True), "toni")
    page.goto("/me/sign-in/")
    problems = problems_of(page)
    page.get_by_role("link", name="Set up").click()
    confirm(page, people, "toni")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert page.locator(".qr").evaluate("image => image.naturalWidth") > 0
    page.get_by_text("Without a camera").click()
    seed = page.locator(".secret [data-copy]").get_attribute("data-copy")
    assert seed
    problems += problems_of(page)
    page.get_by_label("Code of the app").fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("That is not the code of now")).to_be_visible()
    page.get_by_label("Code of the app").fill(code_of(seed))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes li").first.inner_text()
    problems += problems_of(page)

    for code in (code_of(seed), recovery):
        other = named(viewport={"width": 360, "height": 780})
        other.goto("/me/login/")
        other.get_by_label("User name").fill("toni")
        other.get_by_label("Password").fill(people.chosen["toni"])
        other.keyboard.press("Enter")
        other.get_by_label("Code").fill(code)
        problems += problems_of(other)
        other.keyboard.press("Enter")
        expect(other.get_by_role("heading", name=re.compile("^Hello"))).to_be_visible()
    assert not problems, problems


def test_all_web_processes_count_together(dashboard: PagesAlone) -> None:
    """Guesses at one name that are sent at the same moment are let through five times, whichever process takes them."""
    with httpx.Client(base_url=dashboard.url, trust_env=False, timeout=60) as client:
        client.get("/me/login/")
        form = {"login": "many-guesses", "password": "wrong", "csrfmiddlewaretoken": client.cookies["csrftoken"]}

        def guess(_: object = None) -> str:
            return client.post("/me/login/", data=form).text

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(guess, range(8)))
        answers += [guess() for _ in range(6)]  # some may have been told to wait a moment
    assert sum("The user name or the password is wrong" in text for text in answers) == 5
    assert re.search(r"Try again in [45] minutes, at \d\d:\d\d:\d\d UTC", answers[-1])
