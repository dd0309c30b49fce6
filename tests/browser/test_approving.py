"""A lead whose account's keys ask for no passphrase: from the overview to a trusted signer without typing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from signing.trust.keystore.base import PrivateKey
from tests.browser.people import People, wait_until_done
from tests.parts.dashboard import Dashboard

ACCOUNT = "calm"
LEAD, DEVELOPER = "calm-lead", "calm-dev"  # people of their own: others have one account and are not asked which
PHONE = {"width": 360, "height": 740}
MOST_STOPS = 40


@dataclass
class Calm:
    """An account with an unattended root key, and who asks in it."""

    registry: str
    developer: Page

    def ask(self, repository: str) -> str:
        """Ask for a signer of one repository; say at which address."""
        page = self.developer
        page.goto(f"/new/request/?account={ACCOUNT}")
        page.get_by_label(f"{self.registry}/{ACCOUNT}/{repository}").check()
        page.get_by_label("Reason").fill(f"For {repository}.")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_text("so somebody else decides")).to_be_visible()
        return page.url


@pytest.fixture(scope="module")
def calm(chromium: Browser, dashboard: Dashboard, people: People) -> Iterator[Calm]:
    contexts = [chromium.new_context(base_url=dashboard.url) for _ in range(3)]
    admin, lead, developer = (context.new_page() for context in contexts)
    people.sign_in(admin, "admin")
    for name in (LEAD, DEVELOPER):
        people.add(admin, name)
    open_account(admin, dashboard)
    people.sign_in(lead, LEAD)
    people.sign_in(developer, DEVELOPER)
    make_root_key(lead, dashboard)
    for name in ("clicks", "keys", "phone"):
        lead.goto(f"/new/repository/?account={ACCOUNT}")
        lead.get_by_label("Name").fill(name)
        lead.get_by_role("button", name="Add repository").click()
        expect(lead.get_by_role("heading", level=1)).to_contain_text(f"{ACCOUNT}/{name}")
    name_signer(developer)
    yield Calm(dashboard.registry, developer)
    for context in contexts:
        context.close()


def open_account(admin: Page, dashboard: Dashboard) -> None:
    admin.goto("/new/account/")
    admin.get_by_label("Name", exact=True).fill(ACCOUNT)
    admin.get_by_label("Registry", exact=True).fill(dashboard.registry)
    admin.get_by_label("Namespace").fill(ACCOUNT)
    admin.get_by_role("button", name="Open the account").click()
    for person, role in ((LEAD, "Lead"), (DEVELOPER, "Signer")):
        admin.get_by_text("Add a person or change a role").click()
        admin.get_by_label("User name").fill(person)
        admin.get_by_label("Role").select_option(label=role)
        admin.get_by_role("button", name="Save").click()
        expect(admin.get_by_text(f"{person} is now {role.lower()}.")).to_be_visible()


def make_root_key(lead: Page, dashboard: Dashboard) -> None:
    lead.goto(f"/accounts/{ACCOUNT}/")
    lead.get_by_role("link", name="Make the root key").click()
    lead.get_by_label("Passphrase", exact=True).fill("kept by the worker 3")
    lead.get_by_label("Passphrase again").fill("kept by the worker 3")
    lead.get_by_label("Let it sign without asking me").check()
    lead.get_by_role("button", name="Make the key").click()
    wait_until_done(lead, dashboard)


def name_signer(developer: Page) -> None:
    developer.goto(f"/new/key/enrol/?account={ACCOUNT}")
    developer.get_by_label("Signer's name").fill("dev")
    developer.get_by_label("Public key or certificate").fill(PrivateKey.generate().public.to_pem())
    developer.get_by_role("button", name="Enrol").click()
    developer.get_by_role("link", name="Name a signer").click()
    developer.get_by_label("Name", exact=True).fill("dev")
    developer.get_by_role("button", name="Name the signer").click()
    expect(developer.get_by_role("heading", level=1)).to_have_text("dev")


def expect_trusted(page: Page) -> None:
    expect(page.locator("#works").get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize(("repository", "options"), [("clicks", {}), ("phone", {"viewport": PHONE})])
def test_two_clicks_from_the_overview_and_nothing_to_type(
    calm: Calm, people: People, new_page: Callable[..., Page], repository: str, options: dict[str, object]
) -> None:
    page = people.sign_in(new_page(**options), LEAD)
    address = calm.ask(repository)
    page.goto("/")
    page.get_by_role("link", name="Review").first.click()
    expect(page).to_have_url(address)
    page.get_by_role("button", name="Approve").click()
    expect_trusted(page)


def test_the_keyboard_alone_is_enough(calm: Calm, people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(), LEAD)
    address = calm.ask("keys")
    page.goto("/")
    walk_to(page, page.get_by_role("link", name="Review").first)
    page.keyboard.press("Enter")
    expect(page).to_have_url(address)
    walk_to(page, page.get_by_role("button", name="Approve"))
    page.keyboard.press("Enter")
    expect_trusted(page)


def walk_to(page: Page, target: Locator) -> None:
    """Skip to the content and press Tab until the target has the focus."""
    skip = page.get_by_role("link", name="Skip to content")
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("Tab never came to it")
