"""From two sign-ins to a signed, pushed tag, with a second person's approval in between."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.people import People, wait_until_done
from tests.parts.dashboard import Dashboard

KEY_PASSPHRASE = "a key of my own 1"
REPOSITORY_PASSPHRASE = "a repository key 2"


def test_from_a_new_key_to_a_signed_tag_that_the_command_line_confirms(
    dashboard: Dashboard, people: People, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    lead = people.sign_in(new_page(), "demo-lead")
    lead.goto("/new/repository/")
    lead.get_by_label("Name").fill("journey")
    lead.get_by_role("button", name="Add repository").click()
    gun = f"{dashboard.registry}/demo/journey"
    expect(lead.get_by_role("heading", level=1)).to_have_text(gun)

    developer = people.sign_in(new_page(), "demo-dev")
    make_key(developer, dashboard)
    request_address = ask_for(developer, gun)
    approve(lead, dashboard, request_address)
    publish(developer, dashboard, gun)

    developer.get_by_role("link", name="See the tag").click()
    expect(developer.get_by_text("Verified", exact=True)).to_be_visible()
    signed_by = developer.locator("dd").filter(has=developer.locator(".chip"))
    expect(signed_by).to_contain_text("journey-signer")
    confirm_on_the_command_line(developer, tmp_path)


def make_key(page: Page, dashboard: Dashboard) -> None:
    page.goto("/new/key/")
    page.get_by_label("Signer's name").fill("journey-signer")
    page.get_by_label("Passphrase", exact=True).fill(KEY_PASSPHRASE)
    page.get_by_label("Passphrase again").fill(KEY_PASSPHRASE)
    page.get_by_role("button", name="Make the key").click()
    wait_until_done(page, dashboard)
    page.get_by_role("link", name="Open the key").click()
    page.get_by_role("link", name="Name a signer").click()
    page.get_by_label("Name", exact=True).fill("journey-signer")
    page.get_by_role("button", name="Name the signer").click()


def ask_for(page: Page, gun: str) -> str:
    page.get_by_role("link", name="Ask for repositories").click()
    page.get_by_label(gun).check()
    page.get_by_label("Reason").fill("I publish the journey.")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("You asked for this, so somebody else decides.")).to_be_visible()
    return page.url


def approve(page: Page, dashboard: Dashboard, address: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Review").click()
    expect(page).to_have_url(address)
    expect(page.get_by_text("I publish the journey.")).to_be_visible()
    page.get_by_label("Passphrase of the account's root key").fill(dashboard.passwords["passphrase"])
    page.get_by_label("Passphrase of the repository key").fill(REPOSITORY_PASSPHRASE)
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#works").get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)


def publish(page: Page, dashboard: Dashboard, gun: str) -> None:
    page.goto(f"/repositories/{gun}/")
    page.locator("header").get_by_role("link", name="Publish").click()
    page.get_by_label("Source image").fill(f"{dashboard.registry}/upstream/hello:latest")
    page.get_by_label("Tag").fill("1.0")
    page.get_by_label("Sign as").select_option(label="journey-signer")
    page.get_by_label("Passphrase of the signer's key").fill(KEY_PASSPHRASE)
    page.get_by_role("button", name="Publish").click()
    wait_until_done(page, dashboard)
    expect(page.get_by_text(f"{gun}:1.0 is published, signed by journey-signer.")).to_be_visible()


def confirm_on_the_command_line(page: Page, folder: Path) -> None:
    """Download the CA file and run the very command the page shows."""
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Download .*ca.crt")).click()
    download.value.save_as(folder / download.value.suggested_filename)
    command = page.locator(".command code").filter(has_text="inspect").inner_text()
    programs = Path(sys.executable).parent
    shown = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^1\.0 +[0-9a-f]{64} +journey-signer$", shown.stdout, re.MULTILINE), shown.stdout
    page.get_by_text("What it prints").click()
    printed = page.locator("pre.paper").first
    expect(printed).to_be_visible()
    assert printed.inner_text().strip() == shown.stdout.strip()
