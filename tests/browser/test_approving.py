"""A lead whose account's keys ask for no passphrase: from the overview to a trusted signer without typing.

And what keeps it honest: the proof of the key, two of three people, a no, the end of a request, and one's own.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from signing.trust.keystore.base import PrivateKey
from tests.browser.people import People, wait_until_done
from tests.parts.dashboard import Dashboard

ACCOUNT = "calm"
# people of their own: others have one account and are not asked which
LEAD, SECOND, THIRD, DEVELOPER = "calm-lead", "calm-second", "calm-third", "calm-dev"
PHONE = {"width": 360, "height": 740}
MOST_STOPS = 40


@dataclass
class Calm:
    """An account with an unattended root key, and who asks in it."""

    registry: str
    developer: Page
    key: PrivateKey

    def ask(self, repository: str, page: Page | None = None) -> str:
        """Ask for a signer of one repository; say at which address."""
        page = page or self.developer
        page.goto(f"/new/request/?account={ACCOUNT}")
        page.get_by_label(f"{self.registry}/{ACCOUNT}/{repository}", exact=True).check()
        page.get_by_label("Reason").fill(f"For {repository}.")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_text("so somebody else decides")).to_be_visible()
        return page.url

    def prove(self, address: str) -> None:
        """Sign the challenge at home, and paste the signature."""
        page = self.developer
        page.goto(address)
        challenge = page.locator("#proof .mono [data-copy]").first.get_attribute("data-copy")
        assert challenge
        signature = base64.b64encode(self.key.sign(challenge.encode())[1]).decode()
        page.get_by_label("Signature").fill(signature)
        page.get_by_role("button", name="Check the signature").click()
        expect(page.get_by_text("signed the challenge")).to_be_visible()

    def ask_proved(self, repository: str) -> str:
        """Ask, and show to hold the key."""
        address = self.ask(repository)
        self.prove(address)
        return address


@pytest.fixture(scope="module")
def calm(chromium: Browser, dashboard: Dashboard, people: People) -> Iterator[Calm]:
    contexts = [chromium.new_context(base_url=dashboard.url) for _ in range(3)]
    admin, lead, developer = (context.new_page() for context in contexts)
    people.sign_in(admin, "admin")
    for name in (LEAD, SECOND, THIRD, DEVELOPER):
        people.add(admin, name)
    open_account(admin, dashboard)
    people.sign_in(lead, LEAD)
    people.sign_in(developer, DEVELOPER)
    make_root_key(lead, dashboard)
    for name in ("clicks", "keys", "phone", "quorum", "no", "late", "own"):
        lead.goto(f"/new/repository/?account={ACCOUNT}")
        lead.get_by_label("Name").fill(name)
        lead.get_by_role("button", name="Add repository").click()
        expect(lead.get_by_role("heading", level=1)).to_contain_text(f"{ACCOUNT}/{name}")
    yield Calm(dashboard.registry, developer, name_signer(developer))
    for context in contexts:
        context.close()


def open_account(admin: Page, dashboard: Dashboard) -> None:
    admin.goto("/new/account/")
    admin.get_by_label("Name", exact=True).fill(ACCOUNT)
    admin.get_by_label("Registry", exact=True).fill(dashboard.registry)
    admin.get_by_label("Namespace").fill(ACCOUNT)
    admin.get_by_role("button", name="Open the account").click()
    for person, role in ((LEAD, "Lead"), (SECOND, "Lead"), (THIRD, "Lead"), (DEVELOPER, "Signer")):
        admin.goto(f"/accounts/{ACCOUNT}/members/")
        admin.get_by_label("User name").fill(person)
        admin.get_by_label("Role", exact=True).select_option(label=role)
        admin.get_by_role("button", name="Save").click()
        expect(admin.get_by_text(f"{person} is {role.lower()} here now")).to_be_visible()


def make_root_key(lead: Page, dashboard: Dashboard) -> None:
    lead.goto(f"/accounts/{ACCOUNT}/")
    lead.get_by_role("link", name="Make the root key").click()
    lead.get_by_label("Passphrase", exact=True).fill("kept by the worker 3")
    lead.get_by_label("Passphrase again").fill("kept by the worker 3")
    lead.get_by_label("Let it sign without asking me").check()
    lead.get_by_role("button", name="Make the key").click()
    wait_until_done(lead, dashboard)


def name_signer(developer: Page) -> PrivateKey:
    key = PrivateKey.generate()
    developer.goto(f"/new/key/enrol/?account={ACCOUNT}")
    developer.get_by_label("Signer's name").fill("dev")
    developer.get_by_label("Public key or certificate").fill(key.public.to_pem())
    developer.get_by_role("button", name="Enrol").click()
    developer.get_by_role("link", name="Name a signer").click()
    developer.get_by_label("Name", exact=True).fill("dev")
    developer.get_by_role("button", name="Name the signer").click()
    expect(developer.get_by_role("heading", level=1)).to_have_text("dev")
    return key


def expect_trusted(page: Page) -> None:
    expect(page.locator("#works").get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize(("repository", "options"), [("clicks", {}), ("phone", {"viewport": PHONE})])
def test_two_clicks_from_the_overview_and_nothing_to_type(
    calm: Calm, people: People, new_page: Callable[..., Page], repository: str, options: dict[str, object]
) -> None:
    page = people.sign_in(new_page(**options), LEAD)
    address = calm.ask_proved(repository)
    page.goto("/")
    page.get_by_role("link", name="Review").first.click()
    expect(page).to_have_url(address)
    page.get_by_role("button", name="Approve").click()
    expect_trusted(page)


def test_the_keyboard_alone_is_enough(calm: Calm, people: People, new_page: Callable[..., Page]) -> None:
    page = people.sign_in(new_page(), LEAD)
    address = calm.ask_proved("keys")
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


def test_nobody_can_approve_before_the_key_is_shown(calm: Calm, people: People, new_page: Callable[..., Page]) -> None:
    address = calm.ask("no")
    lead = people.sign_in(new_page(), LEAD)
    lead.goto(address)
    expect(lead.get_by_text("has not shown yet to hold the key")).to_be_visible()
    expect(lead.get_by_role("button", name="Approve")).to_have_count(0)
    calm.developer.goto(address)
    calm.developer.get_by_label("Signature").fill(base64.b64encode(b"x" * 64).decode())
    calm.developer.get_by_role("button", name="Check the signature").click()
    expect(calm.developer.get_by_text("was not made over the challenge")).to_be_visible()
    lead.goto(address)
    lead.get_by_text("Reject instead").click()
    lead.get_by_label("Why not").fill("Not this key.")
    lead.get_by_role("button", name="Reject", exact=True).click()
    expect(lead.get_by_text("Not this key.")).to_be_visible()
    second = people.sign_in(new_page(), SECOND)
    second.goto(address)
    expect(second.get_by_role("button", name="Approve")).to_have_count(0)


def test_nobody_approves_their_own(calm: Calm, people: People, new_page: Callable[..., Page]) -> None:
    lead = people.sign_in(new_page(), LEAD)
    address = calm.ask("own", lead)
    expect(lead.get_by_role("button", name="Approve")).to_have_count(0)
    calm.prove(address)
    lead.goto(address)
    expect(lead.get_by_role("button", name="Approve")).to_have_count(0)
    token = lead.locator("[name=csrfmiddlewaretoken]").first.input_value()
    form = {"csrfmiddlewaretoken": token, "content_hash": "0" * 64}
    answer = lead.request.post(f"{address}approve/", form=form, headers={"Referer": address})
    assert answer.status == 403
    assert "somebody else has to decide" in answer.text()


def test_a_request_that_is_over_offers_no_button(
    calm: Calm, people: People, new_page: Callable[..., Page], dashboard: Dashboard
) -> None:
    address = calm.ask_proved("late")
    lead = people.sign_in(new_page(), LEAD)
    lead.goto(address)
    expect(lead.get_by_role("button", name="Approve")).to_be_visible()
    number = re.search(r"/requests/([0-9]+)/", address)
    assert number
    with sqlite3.connect(dashboard.var / "trustui.sqlite3", timeout=30) as rows:
        rows.execute("UPDATE signing_changerequest SET expires_at = '2026-01-01 00:00:00' WHERE id = ?", [number[1]])
    lead.get_by_role("button", name="Approve").click()
    expect(lead.get_by_text("expired").first).to_be_visible()
    lead.goto(address)
    expect(lead.get_by_role("button", name="Approve")).to_have_count(0)
    lead.get_by_role("button", name="Ask again").click()
    expect(lead.get_by_text("so somebody else decides")).to_be_visible()


def test_two_of_three_approve(calm: Calm, people: People, new_page: Callable[..., Page]) -> None:
    """The policy is asked for and approved first; then it takes two others than the one who asked."""
    lead, second, third = (people.sign_in(new_page(), name) for name in (LEAD, SECOND, THIRD))
    lead.goto(f"/accounts/{ACCOUNT}/policy/")
    lead.get_by_text("Ask for another policy").click()
    lead.get_by_label("Approvals for signers, keys and policies").fill("2")
    lead.get_by_role("button", name="Ask", exact=True).click()
    expect(lead.get_by_text("so somebody else decides")).to_be_visible()
    second.goto(lead.url)
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("Approved.", exact=True)).to_be_visible()

    address = calm.ask_proved("quorum")
    second.goto(address)
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("1 of 2 approvals")).to_be_visible()
    expect(second.get_by_role("button", name="Approve")).to_have_count(0)
    third.goto(address)
    third.get_by_role("button", name="Approve").click()
    expect_trusted(third)
    expect(third.get_by_text("2 of 2 approvals")).to_be_visible()
