"""`make pictures`: do the walk-through of README in Chromium and take its pictures, so that they show what is true now.

Two people do it as a person would: one names a signer and publishes, another approves.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_OPTIONS, WIDE
from tests.browser.people import People, wait_until_done
from tests.browser.test_main_journey import KEY_PASSPHRASE, REPOSITORY_PASSPHRASE
from tests.parts.dashboard import Dashboard
from tests.parts.engine import Engine
from tests.parts.programs import require_program

FOLDER = Path("docs/pictures")
PHONE = {"width": 360, "height": 740}


def main() -> None:
    """Start the whole product for the pictures and end it with them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trustui-pictures-") as folder, sync_playwright() as playwright:
        engine = Engine(Path(folder) / "engine", "127.0.0.1:5000")
        dashboard = Dashboard(Path(folder) / "dashboard", engine.url)
        browser = playwright.chromium.launch(executable_path=require_program("chromium"), args=CHROMIUM_OPTIONS)
        try:
            engine.start()
            _walk(browser, dashboard.start())
        finally:
            browser.close()
            dashboard.stop()
            engine.stop()


def _walk(browser: Browser, dashboard: Dashboard) -> None:
    people = People(dashboard)
    lead, developer = (people.sign_in(_page(browser, dashboard), name) for name in ("demo-lead", "demo-dev"))
    gun = f"{dashboard.registry}/demo/shop"
    lead.goto("/new/repository/")
    lead.get_by_label("Name").fill("shop")
    lead.get_by_role("button", name="Add repository").click()
    _make_key(developer, dashboard)
    request = _ask(developer, gun)
    _approve(browser, people, lead, request)
    _publish(developer, dashboard, gun)
    _look(browser, people, developer, gun)


def _make_key(page: Page, dashboard: Dashboard) -> None:
    page.goto("/new/key/")
    page.get_by_label("Signer's name").fill("alice")
    page.get_by_label("Passphrase", exact=True).fill(KEY_PASSPHRASE)
    page.get_by_label("Passphrase again").fill(KEY_PASSPHRASE)
    _take(page, "w1-new-key")
    page.get_by_role("button", name="Make the key").click()
    wait_until_done(page, dashboard)
    page.get_by_role("link", name="Open the key").click()
    _take(page, "w2-certificate")
    page.get_by_role("link", name="Name a signer").click()
    page.get_by_label("Name", exact=True).fill("alice")
    page.get_by_role("button", name="Name the signer").click()


def _ask(page: Page, gun: str) -> str:
    page.get_by_role("link", name="Ask for repositories").click()
    page.get_by_label(gun).check()
    page.get_by_label("Reason").fill("Alice releases the shop.")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_url("**/requests/*/")
    return page.url


def _approve(browser: Browser, people: People, lead: Page, request: str) -> None:
    lead.goto("/trust-servers/")
    _take(lead, "w3-trust-servers")
    lead.goto(request)
    _take(lead, "w4-approve")
    phone = _page(browser, people.dashboard, viewport=PHONE, color_scheme="dark", storage=lead)
    phone.goto(request)
    _take(phone, "w4-approve-phone")
    lead.get_by_label("Passphrase of the account's root key").fill(people.dashboard.passwords["passphrase"])
    lead.get_by_label("Passphrase of the repository key").fill(REPOSITORY_PASSPHRASE)
    lead.get_by_role("button", name="Approve").click()
    lead.locator("#works").get_by_text("Done", exact=True).wait_for(timeout=60_000)
    lead.goto("/accounts/demo/")
    _take(lead, "w5-account")


def _publish(page: Page, dashboard: Dashboard, gun: str) -> None:
    page.goto(f"/publish/{gun}/")
    page.get_by_label("Source image").fill(f"{dashboard.registry}/upstream/hello:latest")
    page.get_by_label("Tag").fill("1.4.0")
    page.get_by_label("Sign as").select_option(label="alice")
    page.get_by_label("Passphrase of the signer's key").fill(KEY_PASSPHRASE)
    _take(page, "w6-publish")
    page.get_by_role("button", name="Publish").click()
    wait_until_done(page, dashboard)
    _take(page, "w8-operation")


def _look(browser: Browser, people: People, page: Page, gun: str) -> None:
    page.goto(f"/repositories/{gun}:1.4.0/")
    _take(page, "w9-pull")
    page.goto(f"/repositories/{gun}/")
    page.get_by_text("What it prints").click()
    _take(page, "w10-inspect")
    night = _page(browser, people.dashboard, color_scheme="dark", storage=page)
    night.goto("/")
    _take(night, "overview-dark")


def _page(browser: Browser, dashboard: Dashboard, *, storage: Page | None = None, **options: object) -> Page:
    state = storage.context.storage_state() if storage else None
    context = browser.new_context(base_url=dashboard.url, storage_state=state, **{"viewport": WIDE, **options})
    return context.new_page()


def _take(page: Page, name: str) -> None:
    """Take the whole page: on a desk by a window as high as it is, so that the menu is as high too."""
    wide = page.viewport_size == WIDE
    if wide:
        page.set_viewport_size({**WIDE, "height": max(WIDE["height"], page.evaluate("document.body.scrollHeight"))})
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=FOLDER / f"{name}.png")
    if wide:
        page.set_viewport_size(WIDE)


if __name__ == "__main__":
    main()
