"""Everything in this folder is an interop test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.verbs import consumer, home, signed  # noqa: F401  fixtures of the tests of verbs

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.interop)
