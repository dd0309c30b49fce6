"""What is special about an endpoint's answer, for the guard and the description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def answers_with_a_secret(view: View) -> View:
    """Mark an endpoint whose answer is given once and must not be kept for who repeats the request."""
    view.answers_with_a_secret = True  # type: ignore[attr-defined]  # read by the guard and by the description
    return view


def answers_with_a_file(media_type: str) -> Callable[[View], View]:
    """Mark an endpoint whose answer is text of this type instead of JSON."""

    def mark(view: View) -> View:
        view.media_type = media_type  # type: ignore[attr-defined]  # read by the description
        return view

    return mark
