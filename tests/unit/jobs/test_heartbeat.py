"""A step that runs shows that its worker lives, until somebody else has it."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError

from signing.jobs.heartbeat import beating

SOON = 0.01
PATIENCE = 10


def test_it_beats_while_the_body_runs_and_not_after() -> None:
    beaten, twice = [], threading.Event()

    def beat() -> bool:
        beaten.append(threading.current_thread().name)
        if len(beaten) >= 2:
            twice.set()
        return True

    with beating(beat, SOON):
        assert twice.wait(PATIENCE)
    seen = len(beaten)

    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())
    assert len(beaten) == seen
    assert set(beaten) == {"heartbeat"}


def test_it_stops_when_the_step_is_somebody_elses() -> None:
    beaten = []

    def beat() -> bool:
        beaten.append(1)
        return False

    with beating(beat, SOON):
        (thread,) = (one for one in threading.enumerate() if one.name == "heartbeat")
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert beaten == [1]


def test_a_database_that_does_not_answer_is_asked_again() -> None:
    asked, again = [], threading.Event()

    def beat() -> bool:
        asked.append(1)
        if len(asked) == 1:
            raise DatabaseError("gone")
        again.set()
        return True

    with beating(beat, SOON):
        assert again.wait(PATIENCE)


def test_what_the_body_raises_comes_through_and_the_thread_ends() -> None:
    with pytest.raises(RuntimeError, match="broke"), beating(lambda: True, SOON):
        raise RuntimeError("broke")
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())


def test_without_a_pause_there_is_no_thread() -> None:
    with beating(lambda: True):
        assert not any(thread.name == "heartbeat" for thread in threading.enumerate())
