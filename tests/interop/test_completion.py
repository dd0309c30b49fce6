"""`trustctl completion` in the real shells: a Tab at their prompts."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.parts.builtin_server import PROJECT
from tests.parts.programs import require_program, run

SECONDS = 30
TYPED = {
    "trustctl key exp": "trustctl key export",
    "trustctl --server https://127.0.0.1:1 witn": "trustctl --server https://127.0.0.1:1 witness",
    "trustctl --server=https://127.0.0.1:1 witn": "trustctl --server=https://127.0.0.1:1 witness",
    "trustctl archive --from-a": "trustctl archive --from-account",
    "trustctl archive registry:5000/team --from-a": "trustctl archive registry:5000/team --from-account",
    "trustctl key load a-f": "trustctl key load a-file.pem",
    "trustctl completion z": "trustctl completion zsh",
}
"""What stands there before Tab, and after it."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the program on PATH and one file."""
    program = tmp_path / "bin" / "trustctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m signing.local_signer.main "$@"\n')
    program.chmod(0o755)
    (tmp_path / "a-file.pem").touch()
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    here = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    return here | {"PATH": f"{home / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(PROJECT), "TERM": "dumb"}


def script(home: Path, shell: str) -> str:
    return run(["trustctl", "completion", shell], env=environment(home)).succeeded().stdout


class Prompt:
    """A shell at a terminal."""

    def __init__(self, controller: int) -> None:
        self._controller = controller

    def type(self, text: str) -> None:
        os.write(self._controller, text.encode())

    def read_until(self, pattern: str) -> None:
        shown, end = "", time.monotonic() + SECONDS
        while not re.search(pattern, shown):
            assert time.monotonic() < end, f"{pattern!r} is not in {shown!r}"
            if select.select([self._controller], [], [], 1)[0]:
                shown += os.read(self._controller, 65536).decode(errors="replace")

    def completes(self, typed: str, completed: str) -> None:
        """Fail unless Tab makes `completed` of `typed`; the line is then printed instead of being run."""
        self.type(f"{typed}\t\x01echo \n")
        self.read_until(rf"\n{re.escape(completed)} *\r")


@contextmanager
def prompt(home: Path, *argv: str) -> Iterator[Prompt]:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        argv,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment(home),
        cwd=home,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        yield Prompt(controller)
    finally:
        process.kill()
        process.wait()
        os.close(controller)


def test_bash(home: Path) -> None:
    (home / "trustctl.bash").write_text(script(home, "bash"))
    with prompt(home, require_program("bash"), "--norc", "--noprofile", "-i") as bash:
        bash.type("source trustctl.bash; echo re''ady\n")
        bash.read_until("ready\r")
        for typed, completed in TYPED.items():
            bash.completes(typed, completed)


@pytest.mark.parametrize("way", ["fpath", "source"])
def test_zsh(home: Path, way: str) -> None:
    (home / "_trustctl").write_text(script(home, "zsh"))
    load = {"fpath": "fpath+=($PWD); autoload -U compinit; compinit -u -D"}
    load["source"] = "autoload -U compinit; compinit -u -D; source ./_trustctl"
    with prompt(home, require_program("zsh"), "-f", "-i") as zsh:
        zsh.type(f"{load[way]}; echo re''ady\n")
        zsh.read_until("ready\r")
        for typed, completed in TYPED.items():
            zsh.completes(typed, completed)


def test_fish(home: Path) -> None:
    """fish tells what it would complete without a terminal."""
    fish = require_program("fish")
    (home / "trustctl.fish").write_text(script(home, "fish"))
    for typed, completed in TYPED.items():
        asked = ["-N", "-c", f"source trustctl.fish; complete -C '{typed}'"]
        told = run([fish, *asked], env=environment(home), folder=home).succeeded().stdout
        assert told.split() == [completed.split()[-1]], typed
    everything = run(
        [fish, "-N", "-c", "source trustctl.fish; complete -C 'trustctl '"], env=environment(home), folder=home
    ).stdout
    assert {"sign", "verify", "key"} <= set(everything.split())
    assert "a-file.pem" not in everything
