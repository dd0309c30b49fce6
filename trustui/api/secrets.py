"""Answers that hold a secret: they are given once and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def answers_with_a_secret(view: View) -> View:
    """Mark an endpoint whose answer `trustui.api.idempotency` must not keep."""
    view.answers_with_a_secret = True  # type: ignore[attr-defined]  # read by the guard and by the description
    return view
