"""Every page a lead can reach by following links: no sideways scrolling, no accessibility problem, in both themes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import People

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FILES = re.compile(r"\.(pem|crt|json|ics|csv)$|^/repository-json/|/download/|/(csv|json)/$")
NUMBERS = re.compile(r"/\d+(?=/)|/[0-9a-f]{64}|(?<=/docs)/.+")
MOST_PAGES = 60
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, select, summary, input:not([type=hidden])')]
  .filter((element) => {
    const box = element.getBoundingClientRect();
    const isText = getComputedStyle(element).display === 'inline';
    return box.width && !isText && !element.closest('label') && (box.width < 24 || box.height < 24);
  }).map((element) => element.outerHTML.slice(0, 120))"""


def walk(page: Page) -> Iterator[str]:
    """Visit one page of each kind, breadth first, beginning with the overview."""
    waiting, known, visited = ["/"], {"/"}, 0
    while waiting and visited < MOST_PAGES:
        address, visited = waiting.pop(0), visited + 1
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        yield address
        for link in page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href'))"):
            kind = NUMBERS.sub("/…", link.split("?")[0].split("#")[0])
            if kind not in known and not FILES.search(kind):
                known.add(kind)
                waiting.append(link)


@pytest.fixture(params=[1280, 360])
def view(request: pytest.FixtureRequest) -> dict[str, Any]:
    width = request.param
    return {"viewport": {"width": width, "height": 800}, "color_scheme": "light", "has_touch": width < 400}


def test_every_page_fits_and_can_be_used_by_everybody(
    people: People, new_page: Callable[..., Page], view: dict[str, Any]
) -> None:
    page = people.sign_in(new_page(**view), "demo-lead")
    problems = {address: problems_of(page) for address in walk(page)}
    assert not any(problems.values()), {address: found for address, found in problems.items() if found}
    assert len(problems) > 30, list(problems)


def test_an_administrators_pages_fit_and_can_be_used_by_everybody(
    people: People, new_page: Callable[..., Page], view: dict[str, Any]
) -> None:
    page = people.sign_in(new_page(**view), "admin")
    problems = {}
    for address in ("/people/", "/new/person/", "/new/account/", "/new/trust-server/"):
        page.goto(address)
        problems[address] = problems_of(page)
    page.goto("/people/")
    page.get_by_role("link", name="demo-lead").click()
    page.get_by_text("Deactivate", exact=True).click()
    expect(page.get_by_role("button", name="Deactivate demo-lead")).to_be_visible()
    problems["a person"] = problems_of(page)
    people.add(page, f"narrow-{page.viewport_size['width']}" if page.viewport_size else "narrow")
    problems["a one-time password"] = problems_of(page)
    assert not any(problems.values()), {address: found for address, found in problems.items() if found}


def problems_of(page: Page) -> list[str]:
    """Say what is wrong with a page: for assistive programs in both themes, in width, for fingers."""
    page.evaluate(AXE)
    said = violations(page, "light", {"type": "tag", "values": STANDARDS})
    page.emulate_media(color_scheme="dark")
    said += violations(page, "dark", {"type": "rule", "values": ["color-contrast"]})
    page.emulate_media(color_scheme="light")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        said.append("it scrolls sideways")
    return said + [f"small target: {target}" for target in page.evaluate(SMALL_TARGETS)]


def violations(page: Page, theme: str, rules: dict[str, Any]) -> list[str]:
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", rules)
    return [f"{theme}: {v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]
