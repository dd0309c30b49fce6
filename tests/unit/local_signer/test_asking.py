"""Questions at a terminal, progress there, and what an Engine answers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from signing.local_signer.docker_folder import Login
from signing.local_signer.engine import Engine
from signing.local_signer.terminal import Progress
from signing.trust.errors import InvalidInput, InvalidName, NotAuthorised, ServerError
from signing.trust.notary.gun import Gun
from tests.unit.local_signer.conftest import DIGEST, GUN, TrustCtl


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    typed = Terminal()
    monkeypatch.setattr("sys.stdin", typed)
    return typed


def answer(terminal: Terminal, text: str) -> None:
    terminal.seek(0)
    terminal.truncate()
    terminal.write(text)
    terminal.seek(0)


def test_a_question_is_asked_and_answered(trustctl: TrustCtl, answers: Terminal) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    answer(answers, "n\n")
    no = trustctl.run("signer", "remove", "alice", GUN)
    assert (no.code, "[y/N]" in no.stderr) == (1, True)
    answer(answers, "y\n")
    assert trustctl.run("signer", "remove", "alice", GUN).code == 0


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 1), ("", 1), ("yep\n", 1)])
def test_only_yes_is_yes(trustctl: TrustCtl, answers: Terminal, typed: str, code: int) -> None:
    trustctl.generate("alice")
    answer(answers, typed)
    assert trustctl.run("key", "remove", "alice").code == code


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, expected in ((Terminal(), "2 of 2"), (io.StringIO(), "")):
        monkeypatch.setattr("sys.stderr", stream)
        progress = Progress("Asking\x1b[2J", 2)
        progress.step("a")
        progress.step("b\x1b[2J")
        progress.end()
        assert expected in stream.getvalue()
        assert "\x1b[2J" not in stream.getvalue()


class FakeApi:
    """An Engine's API that answers a push with given events."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = events
        self.pushed: list[tuple[str, dict[str, Any]]] = []

    def inspect_image(self, _name: str) -> None:
        pass

    def push(self, name: str, **options: Any) -> Iterator[dict[str, Any]]:
        self.pushed.append((name, options))
        return iter(self.events)


def test_the_digest_of_a_push() -> None:
    api = FakeApi({"status": "Pushing", "id": "1"}, {"aux": {"Tag": "v1", "Digest": DIGEST, "Size": 1}})
    assert Engine(api).push(Gun(GUN), "v1", Login("me", "secret")) == DIGEST
    assert api.pushed[0][1]["auth_config"] == {"username": "me", "password": "secret"}


@pytest.mark.parametrize(
    ("events", "refusal"),
    [
        ([{"error": "denied: requested access to the resource is denied"}], NotAuthorised),
        ([{"error": "no basic auth credentials"}], NotAuthorised),
        ([{"error": "disk \x1b[31mfull"}], ServerError),
        ([{"status": "pushed"}], (InvalidInput, InvalidName)),
        ([{"aux": {"Digest": "sha256:nonsense"}}], (InvalidInput, InvalidName)),
    ],
)
def test_a_push_that_fails(events: list[dict[str, Any]], refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as error:
        Engine(FakeApi(*events)).push(Gun(GUN), "v1", None)
    assert "\x1b" not in str(error.value)


def test_without_an_engine() -> None:
    with pytest.raises(ServerError, match="cannot be used"), Engine.connect({"DOCKER_HOST": "unix:///nowhere.sock"}):
        raise AssertionError("there is none")
