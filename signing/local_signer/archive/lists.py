"""Lists of repositories that come page by page: from registries, Docker Hub, and the dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from signing.trust.errors import BadResponse, NotAuthorised, ServerUnreachable
from signing.trust.notary.http_answers import Answer

PAGE_SIZE = 100
LARGEST_PAGE = 4 * 1024 * 1024
MOST_PAGES = 1000

_NEXT = re.compile(r'<([^<>\s]+)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


def pages(first: str, ask: Callable[[str], Answer], next_of: Callable[[str, Answer], str | None]) -> Iterator[Answer]:
    """Follow a list from page to page; of what it says comes next only the query counts, so it stays where it began.

    Raises:
        BadResponse: what comes next is elsewhere, or was there before, or there is no end.
    """
    url, seen = first, {first}
    for _ in range(MOST_PAGES):
        answer = ask(url)
        yield answer
        following = next_of(url, answer)
        if following is None:
            return
        before, after = urlsplit(url), urlsplit(urljoin(url, following))
        url = before._replace(query=after.query).geturl()
        if url in seen or (before.netloc, before.path) != (after.netloc, after.path):
            raise BadResponse(f"{before.netloc} gave a list of repositories that leads nowhere.")
        seen.add(url)
    raise BadResponse(f"{urlsplit(first).netloc} gave a list of repositories without an end.")


def next_by_link(_url: str, answer: Answer) -> str | None:
    """Find the next page in the header Link, as registries and the dashboard give it."""
    found = _NEXT.search(answer.headers.get("Link", ""))
    return found[1] if found else None


def next_in_body(url: str, answer: Answer) -> str | None:
    """Find the next page in the list itself, as Docker Hub gives it."""
    following = read_object(answer, urlsplit(url).netloc).get("next")
    return following if isinstance(following, str) and following else None


def successful(answer: Answer, host: str, *, login: str = "") -> Answer:
    """Give a page back, or say by name why there is none; `login` tells how to become somebody who may.

    Raises:
        NotAuthorised: another login is needed.
        ServerUnreachable: there is none now.
        BadResponse: there is no such list.
    """
    if answer.status == 200:
        return answer
    if answer.status in (401, 403):
        raise denied(host, login)
    if answer.status >= 500 or answer.status == 429:
        raise ServerUnreachable(f"{host} cannot answer now: {answer.status}.", status=answer.status)
    raise BadResponse(
        f"{host} has no list of these repositories; it answered {answer.status}.",
        next_step="Check the account's name, or name the repositories one by one.",
    )


def denied(host: str, login: str = "") -> NotAuthorised:
    """Say that somebody else may list the repositories."""
    return NotAuthorised(
        f"{host} does not let you list its repositories.",
        next_step=f"{login or f'Run `docker login {host}` as somebody who may'}, or name the repositories one by one.",
    )


def read_object(answer: Answer, host: str) -> dict[str, Any]:
    """Read a page as a JSON object.

    Raises:
        BadResponse: it is none.
    """
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadResponse(f"{host} gave no list of repositories.", next_step="Name the repositories one by one.")
    return found


def members(rows: object, name: str) -> list[str]:
    """Give one member of every row, where it is text."""
    found = [row.get(name) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return strings(found)


def strings(value: object) -> list[str]:
    """Give the texts of a list; what is no list has none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
