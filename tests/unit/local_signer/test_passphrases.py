"""Passphrases: docker's two variables first, then docker's prompts."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from signing.local_signer.passphrases import Passphrases
from signing.trust.errors import WrongPassphrase
from signing.trust.keystore import pem
from tests.unit.trust import samples

KEY_ID = "0123456789abcdef"
PROJECT = Path(__file__).parents[3]


class Person:
    """Types these lines, and remembers the prompts."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)


@pytest.mark.parametrize(
    ("role", "expected"),
    [("root", "for root"), ("targets", "for repository"), ("snapshot", "for repository"), ("alice", "for alice")],
)
@pytest.mark.parametrize("new", [True, False])
def test_variables_win_over_the_terminal(role: str, expected: str, new: bool) -> None:
    environ = {
        "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE": "for root",
        "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": "for others",
    }
    nobody = Person()
    given = Passphrases(environ, nobody)(role, KEY_ID, new=new, attempt=0)
    assert given == ("for root" if expected == "for root" else "for others")
    assert nobody.prompts == []


@pytest.mark.parametrize(
    ("role", "prompt"),
    [
        ("root", "Enter passphrase for root key with ID 0123456: "),
        ("targets", "Enter passphrase for repository key with ID 0123456: "),
        ("snapshot", "Enter passphrase for repository key with ID 0123456: "),
        ("alice", "Enter passphrase for alice key with ID 0123456: "),
        ("\x1b[31mroot", "Enter passphrase for \\u001b[31mroot key with ID 0123456: "),
    ],
)
def test_prompts_are_dockers(role: str, prompt: str) -> None:
    person = Person("typed")
    assert Passphrases({}, person)(role, KEY_ID, new=False, attempt=0) == "typed"
    assert person.prompts == [prompt]


def test_a_new_passphrase_is_asked_twice() -> None:
    person = Person("long enough", "long enough")
    assert Passphrases({}, person)("alice", KEY_ID, new=True, attempt=0) == "long enough"
    assert person.prompts == [
        "Enter passphrase for new alice key with ID 0123456: ",
        "Repeat passphrase for new alice key with ID 0123456: ",
    ]


def test_a_short_or_mistyped_passphrase_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    person = Person("short", "long enough", "long enuogh", "long enough", "long enough")
    assert Passphrases({}, person)("alice", KEY_ID, new=True, attempt=0) == "long enough"
    shown = capsys.readouterr().err
    assert "too short" in shown
    assert "do not match" in shown
    assert "long enough" not in shown


def test_a_new_root_key_comes_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    Passphrases({}, Person("long enough", "long enough"))("root", KEY_ID, new=True, attempt=0)
    assert "root key" in capsys.readouterr().err


def test_asking_for_a_new_passphrase_ends() -> None:
    person = Person(*["short"] * 20)
    with pytest.raises(WrongPassphrase):
        Passphrases({}, person)("alice", KEY_ID, new=True, attempt=0)
    assert len(person.prompts) == 11


def test_each_role_is_asked_once() -> None:
    person = Person("of alice", "of bob")
    passphrases = Passphrases({}, person)
    given = [passphrases(role, KEY_ID, new=False, attempt=0) for role in ("alice", "bob", "alice")]
    assert given == ["of alice", "of bob", "of alice"]


def test_a_wrong_answer_is_asked_again() -> None:
    passphrases = Passphrases({}, Person("wrong", "right"))
    assert passphrases("alice", KEY_ID, new=False, attempt=0) == "wrong"
    assert passphrases("alice", KEY_ID, new=False, attempt=1) == "right"
    assert passphrases("alice", KEY_ID, new=False, attempt=0) == "right"


def test_a_wrong_variable_is_named_and_not_shown() -> None:
    passphrases = Passphrases({"DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": "the secret"}, Person("typed"))
    with pytest.raises(WrongPassphrase, match="DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE") as caught:
        passphrases("alice", KEY_ID, new=False, attempt=1)
    assert "the secret" not in caught.value.message


@pytest.mark.parametrize("new", [True, False])
def test_nobody_to_ask(new: bool) -> None:
    with pytest.raises(WrongPassphrase) as caught:
        Passphrases({}, None)("root", KEY_ID, new=new, attempt=0)
    assert "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE" in caught.value.next_step


def test_a_person_who_leaves() -> None:
    with pytest.raises(WrongPassphrase):
        Passphrases({}, Person())("alice", KEY_ID, new=False, attempt=0)


def test_at_a_real_terminal(tmp_path: Path) -> None:
    """The passphrase is typed at the prompt, not shown, and opens the key."""
    argv = [sys.executable, "-m", "signing.local_signer.main", "key", "generate", "alice", "--dir", str(tmp_path)]
    controller, terminal = pty.openpty()
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(
        argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True
    )
    os.close(terminal)
    try:
        shown = _read_until(controller, r"Enter passphrase for new alice key with ID [0-9a-f]{7}: ")
        os.write(controller, b"correct horse\n")
        shown += _read_until(controller, r"Repeat passphrase for new alice key with ID [0-9a-f]{7}: ")
        os.write(controller, b"correct horse\n")
        shown += _read_until(controller, r"alice\.pub")
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    assert "correct horse" not in shown
    (file,) = (tmp_path / ".docker" / "trust" / "private").iterdir()
    assert pem.decrypt(file.read_text(), "correct horse").key_id == file.stem


def _read_until(controller: int, pattern: str) -> str:
    shown, end = "", time.monotonic() + 20
    while not re.search(pattern, shown) and time.monotonic() < end and select.select([controller], [], [], 20)[0]:
        shown += os.read(controller, 1024).decode()
    assert re.search(pattern, shown), shown
    return shown


def test_the_samples_open_with_these_variables() -> None:
    passphrases = Passphrases({"DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": samples.REPOSITORY_PASSPHRASE}, None)
    given = passphrases("alice", samples.ALICE, new=False, attempt=0)
    assert pem.decrypt(samples.private_key(samples.ALICE), given).key_id == samples.ALICE
