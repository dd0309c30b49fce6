"""A person without a mouse."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.people import People

FOCUSED_OUTLINE = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
}"""
MOST_TABS = 60


def test_the_first_tab_skips_to_the_content(people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(), "demo-lead")
    page.goto("/repositories/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_every_stop_shows_its_focus_on_the_way_to_adding_a_repository(
    people: People, new_page: Callable[..., Page]
) -> None:
    page = people.sign_in(new_page(), "demo-lead")
    page.goto("/repositories/")
    target = page.get_by_role("link", name="Add repository")
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED_OUTLINE), page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.get_by_label("Name").press("Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("by-keyboard")


def test_a_copy_button_says_what_it_did(people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(permissions=["clipboard-read", "clipboard-write"]), "demo-lead")
    page.goto("/keys/")
    button = page.get_by_role("button", name="Copy key ID").first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == button.get_attribute("data-copy")
