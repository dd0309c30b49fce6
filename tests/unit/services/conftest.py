from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from signing.models import AuditEvent
from tests import factories


@pytest.fixture
def cast(db: None) -> factories.Cast:
    return factories.make_cast()


@pytest.fixture
def one_event() -> Callable[..., object]:
    """Assert that what happens inside is recorded exactly once, under this action."""

    @contextmanager
    def check(action: str) -> Iterator[None]:
        before = AuditEvent.objects.count()
        yield
        events = list(AuditEvent.objects.order_by("pk"))[before:]
        assert [event.action for event in events] == [action]

    return check
