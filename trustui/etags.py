"""Tags of pages: what a page shows named in a few characters, so that an unchanged one is answered before it is drawn.

A page that was drawn is kept under its tag for the same person and session: the tag names these too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from django.conf import settings
from django.contrib.messages import get_messages
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from django.utils.translation import get_language

CACHE = "fragments"  # in the memory of this process
PRIVATE = "private, no-cache"  # kept by the browser alone, and asked about each time


def tag_of(request: HttpRequest, *seen: object) -> str:
    """Name what this person is shown; whatever moves on the page has to be among `seen`.

    The address, the language, the theme, the person and the form token of the session are taken from the request.
    """
    person = getattr(request, "user", None)
    parts = (
        release(),
        request.get_full_path(),
        get_language(),
        request.COOKIES.get("theme"),
        request.META.get("CSRF_COOKIE"),
        getattr(person, "pk", None),
        str(person),
        *seen,
    )
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def answer(request: HttpRequest, tag: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer 304 where the browser has exactly this page, else give it as it was drawn for this person, or draw it.

    A page with a message to tell is drawn and gets no tag: the message is told once. Nor does one that brings the
    session's form token, which is a part of every tag.
    """
    if len(get_messages(request)) or "CSRF_COOKIE" not in request.META:
        return draw()
    known = [one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))]
    response = HttpResponse(status=304) if tag in known else _kept_or_drawn(tag, draw)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = PRIVATE
    return response


def _kept_or_drawn(tag: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    kept = caches[CACHE].get(tag)
    if kept is not None:
        return HttpResponse(kept)
    response = draw()
    if response.status_code == HTTPStatus.OK:
        caches[CACHE].set(tag, response.content)
    return response


@cache
def release() -> str:
    """Name the templates of this release: a new one shows the same rows in another way."""
    found = hashlib.sha256()
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
