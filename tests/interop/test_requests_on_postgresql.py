"""Decisions about requests on PostgreSQL, where people really meet."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.parts.stores import Postgres

pytestmark = pytest.mark.interop


def test_two_decisions_never_meet(postgres: Postgres) -> None:
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--reuse-db"]
    command = [sys.executable, "-m", "pytest", *options, "tests/unit/services/test_request_races.py"]
    environment = {**os.environ, "TEST_DATABASE_URL": postgres.url()}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert "skipped" not in ended.stdout
