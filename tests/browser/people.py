"""People at the browser: they sign in, and the first time they choose a password of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Page, expect

from tests.parts.dashboard import Dashboard
from tests.parts.pages_alone import PagesAlone

OPERATION_MS = 120_000


@dataclass
class People:
    """Who may sign in to one dashboard, and with which password now."""

    dashboard: Dashboard | PagesAlone
    handed_out: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)

    def sign_in(self, page: Page, name: str) -> Page:
        """Sign in by form; replace the one-time password where it still is one."""
        password = self.chosen.get(name) or self.handed_out.get(name) or self.dashboard.passwords[name]
        page.goto("/me/login/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        if name not in self.chosen:
            expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
            self.chosen[name] = new = f"{name} keeps nine lanterns"
            page.get_by_label("Current password").fill(password)
            page.get_by_label("New password", exact=True).fill(new)
            page.get_by_label("New password again").fill(new)
            page.get_by_role("button", name="Save the new password").click()
        expect(page.get_by_role("heading", name=re.compile("^Hello"))).to_be_visible()
        return page

    def add(self, administrator: Page, name: str) -> None:
        """Have an administrator add a person, and remember the one-time password that is shown."""
        administrator.goto("/new/person/")
        administrator.get_by_label("User name").fill(name)
        administrator.get_by_role("button", name="Add the person").click()
        expect(administrator.get_by_role("heading", level=1)).to_have_text(f"{name} can sign in")
        shown = administrator.locator(".secret [data-copy]").get_attribute("data-copy")
        assert shown
        self.handed_out[name] = shown


def wait_until_done(page: Page, dashboard: Dashboard) -> None:
    """Watch an operation's page until it says how it ended; the page follows the work by itself."""
    over = page.locator("#progress:not([hx-trigger])")
    expect(over, "the operation never ended").to_be_attached(timeout=OPERATION_MS)
    logs = "\n".join(dashboard.part_log(name)[-3000:] for name in ("signing-worker", "docker-worker"))
    assert over.locator(".badge").first.inner_text() == "Done", over.inner_text() + logs
