"""Politeness: the rate, the pauses, and when patience ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from signing.trust.errors import ServerUnreachable
from signing.trust.evidence.polite import MOST_ATTEMPTS, Politeness, PoliteSource


@dataclass
class Watch:
    """A clock that only sleeping moves."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def polite(self, rate: float) -> Politeness:
        return Politeness(rate, self.sleep, lambda: self.at)


class Server:
    """Gives its answers one after the other; an error is raised."""

    def __init__(self, *answers: bytes | ServerUnreachable) -> None:
        self.answers = list(answers)

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        answer = self.answers.pop(0)
        if isinstance(answer, ServerUnreachable):
            raise answer
        return answer


BUSY = ServerUnreachable("cannot answer now: 429", status=429)
SILENT = ServerUnreachable("cannot be reached")


def test_requests_keep_to_the_rate() -> None:
    watch = Watch()
    source = PoliteSource(Server(*[b"{}"] * 11), watch.polite(rate=5))

    for _ in range(11):
        source.get("gun", "root.json")

    assert watch.at == pytest.approx(102.0)


def test_a_busy_server_is_asked_again_after_pauses_that_double() -> None:
    watch = Watch()
    source = PoliteSource(Server(BUSY, BUSY, BUSY, b"{}"), watch.polite(rate=1000))

    assert source.get("gun", "root.json") == b"{}"

    pauses = [seconds for seconds in watch.slept if seconds > 0.5]
    assert [round(pause / 2**number, 1) for number, pause in enumerate(pauses)] == pytest.approx([1, 1, 1], abs=0.3)


def test_patience_ends() -> None:
    watch = Watch()
    server = Server(*[BUSY] * 9)

    with pytest.raises(ServerUnreachable, match="429"):
        PoliteSource(server, watch.polite(rate=1000)).get("gun", "root.json")

    assert len(server.answers) == 9 - MOST_ATTEMPTS


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    watch = Watch()

    with pytest.raises(ServerUnreachable):
        PoliteSource(Server(SILENT), watch.polite(rate=1000)).get("gun", "root.json")

    assert not watch.slept


def test_one_that_answered_before_is() -> None:
    watch = Watch()
    source = PoliteSource(Server(b"{}", SILENT, b"[]"), watch.polite(rate=1000))
    source.get("gun", "root.json")

    assert source.get("gun", "timestamp.json") == b"[]"
