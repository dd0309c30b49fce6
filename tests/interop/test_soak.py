"""A short soak; `make soak` does the long one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.soak.rounds import soak
from tests.soak.world import running

WORKERS = ("signing", "docker")


def test_whatever_dies_every_publish_ends_true(tmp_path: Path) -> None:
    with running(tmp_path, lanes=3) as world:
        outcome = soak(world, 6, random.Random(), print, only=WORKERS)
    assert outcome.problems == []
    assert sum(outcome.states.values()) == 6
