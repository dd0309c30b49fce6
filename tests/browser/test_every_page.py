"""Every page a lead can reach by following links: no sideways scrolling, no accessibility problem, in both themes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.people import People

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FILES = re.compile(r"\.(pem|crt)$|^/repository-json/")
NUMBERS = re.compile(r"/\d+(?=/)|/[0-9a-f]{64}")
MOST_PAGES = 60
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, select, summary, input:not([type=hidden])')]
  .filter((element) => {
    const box = element.getBoundingClientRect();
    const isText = getComputedStyle(element).display === 'inline';
    return box.width && !isText && !element.closest('label') && (box.width < 24 || box.height < 24);
  }).map((element) => element.outerHTML.slice(0, 120))"""


def walk(page: Page) -> Iterator[str]:
    """Visit one page of each kind, breadth first, beginning with the overview."""
    waiting, known = ["/"], {"/"}
    while waiting and len(known) <= MOST_PAGES:
        address = waiting.pop(0)
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        yield address
        for link in page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href'))"):
            kind = NUMBERS.sub("/…", link.split("?")[0].split("#")[0])
            if kind not in known and not FILES.search(kind):
                known.add(kind)
                waiting.append(link)


@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_fits_and_can_be_used_by_everybody(
    people: People, new_page: Callable[..., Page], width: int
) -> None:
    view = {"width": width, "height": 800}
    page = people.sign_in(new_page(viewport=view, color_scheme="light", has_touch=width < 400), "demo-lead")
    problems: dict[str, Any] = {}
    visited = 0
    for address in walk(page):
        visited += 1
        page.evaluate(AXE)
        said = violations(page, "light", {"type": "tag", "values": STANDARDS})
        page.emulate_media(color_scheme="dark")
        said += violations(page, "dark", {"type": "rule", "values": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            said.append("it scrolls sideways")
        said += [f"small target: {target}" for target in page.evaluate(SMALL_TARGETS)]
        if said:
            problems[address] = said
    assert not problems
    assert visited > 20


def violations(page: Page, theme: str, rules: dict[str, Any]) -> list[str]:
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", rules)
    return [f"{theme}: {v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]
