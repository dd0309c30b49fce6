"""The core journey as plain forms: asking, deciding, signing, watching."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.people import People
from tests.parts.dashboard import Dashboard

PHONE = {"width": 360, "height": 740}


def test_publishing_is_a_plain_form_and_a_reload(
    dashboard: Dashboard, people: People, new_page: Callable[..., Page]
) -> None:
    page = people.sign_in(new_page(java_script_enabled=False), "demo-dev")
    page.goto(f"/publish/{dashboard.registry}/demo/hello/")
    page.get_by_label("Source image").fill(f"{dashboard.registry}/upstream/hello:latest")
    page.get_by_label("Tag").fill("plain")
    page.get_by_label("Passphrase of the signer's key").fill(dashboard.passwords["passphrase"])
    page.get_by_role("button", name="Publish").click()
    expect(page).to_have_url(re.compile(r"/operations/\d+/$"))
    finished = page.get_by_text("is published, signed by demo-dev")
    for _ in range(120):
        if finished.is_visible():
            break
        page.wait_for_timeout(500)  # a person waits a moment before pressing reload
        page.reload()
    expect(finished).to_be_visible()
    page.get_by_role("link", name="See the tag").click()
    expect(page.get_by_text("Verified", exact=True)).to_be_visible()


def test_a_wrong_form_comes_back_with_what_was_typed(people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(java_script_enabled=False), "demo-lead")
    page.goto("/new/repository/")
    page.get_by_label("Name").fill("NOT a name")
    page.get_by_role("button", name="Add repository").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("NOT a name")


def test_the_colours_are_chosen_and_kept(people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(java_script_enabled=False), "demo-dev")
    light = background_under(page, "Automatic")
    page.get_by_role("button", name="Dark").click()
    dark = background_under(page, "Dark")
    assert dark != light
    page.goto("/keys/")
    assert background_under(page, "Dark") == dark
    page.get_by_role("button", name="Light").click()
    assert background_under(page, "Light") == light


def background_under(page: Page, theme: str) -> str:
    """Wait for the page that was built for this theme, and for its style sheet; then look at its colour."""
    expect(page.get_by_role("button", name=theme)).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state()
    colour: str = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    return colour


def test_the_phone_menu_opens(people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(java_script_enabled=False, viewport=PHONE, has_touch=True), "demo-lead")
    page.get_by_role("button", name="Menu").tap()
    page.get_by_role("link", name="Trust servers").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trust servers")
