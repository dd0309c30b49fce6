"""Read a page the way a person does: its text, its fields, its links."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.http import HttpResponse


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


class Page:
    """One answer, read."""

    def __init__(self, response: HttpResponse) -> None:
        reader = _Reader()
        self.html = response.content.decode()
        reader.feed(self.html)
        self.text = re.sub(r"\s+", " ", "".join(reader.text))
        self.tags = reader.tags

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """List the attributes of every element that has these values."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        ]

    def field(self, name: str) -> dict[str, str | None]:
        """Find the one input of that name."""
        (found,) = [a for tag, a in self.tags if tag in ("input", "select", "textarea") and a.get("name") == name]
        return found

    def offers(self, url: str) -> bool:
        """Tell whether the page links to, or has a form for, an address."""
        return any(url in (a.get("href"), a.get("action")) for _, a in self.tags)
