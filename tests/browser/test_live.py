"""Pages that follow the work by themselves, and stop when it is over."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from tests.browser.people import People
from tests.parts.dashboard import Dashboard


def test_check_now_follows_the_check_and_then_leaves_the_server_alone(
    dashboard: Dashboard, people: People, new_page: Callable[..., Page]
) -> None:
    page = people.sign_in(new_page(), "demo-lead")
    page.goto(f"/repositories/{dashboard.registry}/demo/hello/")
    with page.expect_response(lambda response: "/repository-check/" in response.url):
        page.get_by_role("button", name="Check now").click()
    check = page.locator("#check:not([hx-trigger])")
    expect(check.get_by_text("checked just now")).to_be_visible(timeout=60_000)
    expect(check.get_by_text("Verified", exact=True)).to_be_visible()

    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.wait_for_timeout(2500)  # two periods of the polling that has to be over
    assert not asked


def test_typing_narrows_the_list_and_the_address_keeps_it(
    dashboard: Dashboard, people: People, new_page: Callable[..., Page]
) -> None:
    page = people.sign_in(new_page(), "demo-lead")
    page.goto("/repositories/")
    page.get_by_label("Search").press_sequentially("no-such-thing")
    expect(page.get_by_text("No repository fits")).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]q=no-such-thing\b"))
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("no-such-thing")
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_role("link", name=f"{dashboard.registry}/demo/hello")).to_be_visible()


def test_a_session_that_ends_while_the_page_polls_leads_to_the_sign_in(
    dashboard: Dashboard, people: People, new_page: Callable[..., Page]
) -> None:
    page = people.sign_in(new_page(), "demo-lead")
    page.goto("/repositories/")
    page.context.clear_cookies(name="trustui_session")
    page.get_by_label("Search").press_sequentially("hello")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("nav")).to_have_count(0)
