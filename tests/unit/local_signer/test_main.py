"""The command line itself: options anywhere, exit codes, and sentences instead of tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from signing.local_signer import session
from signing.local_signer.exit_codes import Exit
from signing.local_signer.main import main
from signing.local_signer.session import Session
from tests.unit.local_signer.conftest import DIGEST, GUN, TrustCtl
from tests.unit.trust import samples

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["key"],
        ["signer"],
        ["unknown"],
        ["key", "generate"],
        ["signer", "add", "alice", GUN],
        ["signer", "add", "--key", "alice.pub", "alice"],
        ["sign"],
        ["sign", f"{GUN}:v1", "--local", "--digest", DIGEST],
        ["sign", f"{GUN}:v1", "--local", "--stage"],
        ["sign", f"{GUN}:v1", "--size", "5"],
        ["sign", f"{GUN}:v1", "--digest", DIGEST, "--size", "0"],
        ["sign", f"{GUN}:v1", "--digest", DIGEST, "--size", "-1"],
        ["sign", f"{GUN}:v1", "--digest", DIGEST, "--size", "many"],
        ["sign", f"{GUN}:v1", "--digest", DIGEST, "--size", "9" * 30],
        ["reset", GUN],
        ["reset", GUN, "-n", "one"],
        ["delegation", "add", GUN, "qa", "--threshold", "0"],
        ["completion", "powershell"],
        ["archive"],
        ["archive", "--server", "https://trust.example.com"],
        ["archive", "--ugly", GUN],
        ["archive", "take"],
        ["inspect"],
        ["inspect", "--ugly", GUN],
        ["verify"],
        ["verify", f"{GUN}:v1", f"{GUN}:v2"],
    ],
)
def test_a_wrong_command_line_is_code_2(trustctl: TrustCtl, arguments: list[str]) -> None:
    outcome = trustctl.run(*arguments)
    assert outcome.code == 2
    assert outcome.stderr.startswith("usage: trustctl")


@pytest.mark.parametrize(
    "command", [[], ["key"], ["key", "generate"], ["signer", "add"], ["sign"], ["inspect"], ["archive"]]
)
def test_help(trustctl: TrustCtl, command: list[str]) -> None:
    outcome = trustctl.run(*command, "--help")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert "--server" in outcome.stdout


@pytest.mark.parametrize("place", ["before", "after", "split"])
def test_options_stand_before_and_after_the_command(
    environ: pytest.MonkeyPatch, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Session] = []

    def remember(self: Session, _gun: str) -> None:
        seen.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "refresh", remember)
    first, second = ["--server", "https://trust.example.com"], ["--ca", "ca.crt", "--trust-dir", str(tmp_path)]
    command = {
        "before": [*first, *second, "inspect", GUN],
        "after": ["inspect", *first, GUN, *second],
        "split": [*first, "inspect", *second, GUN],
    }[place]
    assert main(command) == 130
    (used,) = seen
    assert (used._server, used._ca, used.trust_dir) == ("https://trust.example.com", Path("ca.crt"), tmp_path)


def test_the_option_after_the_command_wins(environ: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> None:
    servers: list[str | None] = []

    def remember(self: Session, _gun: str) -> None:
        servers.append(self._server)
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "refresh", remember)
    main(["--server", "https://first.example.com", "inspect", "--server", "https://second.example.com", GUN])
    assert servers == ["https://second.example.com"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/home/alice/key"), "/home/alice/key: Permission denied. Check who"),
        (OSError(28, "No space left on device"), "No space left on device. Check the disk"),
        (RuntimeError("a secret"), "trustctl has a fault (RuntimeError)"),
        (RecursionError(), "trustctl has a fault (RecursionError)"),
    ],
)
def test_no_error_shows_a_traceback(
    trustctl: TrustCtl, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(session.Session, "keystore", fail)
    line = trustctl.run("key", "list").refused()
    assert line.startswith(words)
    assert "a secret" not in line


def test_an_interrupt_is_code_130(trustctl: TrustCtl, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session.Session, "keystore", interrupt)
    outcome = trustctl.run("key", "list")
    assert (outcome.code, outcome.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize("server", ["http://trust.example.com", "trust.example.com", "ftp://x", "https://"])
def test_a_trust_server_has_an_https_address(
    environ: pytest.MonkeyPatch, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environ.setenv("DOCKER_CONTENT_TRUST_SERVER", server)
    assert main(["verify", f"{GUN}:v1"]) == 1
    assert main(["verify", "--server", server, f"{GUN}:v1"]) == 1
    assert "https" in capsys.readouterr().err


def test_an_authority_that_is_no_certificate(
    environ: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "ca.crt"
    wrong.write_bytes(b"\xff no certificate")
    for path in (wrong, tmp_path / "absent.crt", tmp_path):
        assert main(["verify", "--server", "https://127.0.0.1:1", "--ca", str(path), f"{GUN}:v1"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert not any("Traceback" in line for line in lines)


def run_as_program(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    environ = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "LC_ALL": "C"}
    argv = [sys.executable, "-m", "signing.local_signer.main", *arguments]
    return subprocess.run(argv, env=environ, stdin=subprocess.DEVNULL, check=False, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_leaves_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    done = run_as_program("key", "list", stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_names_beyond_ascii_are_printed_in_any_locale() -> None:
    done = run_as_program("verify", "é:v1", capture_output=True)
    assert done.returncode == 1
    assert "é" in done.stderr.decode()


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from signing.local_signer.main import command_line; command_line(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"httpx", "cryptography", "orjson", "django", "ssl"}


def test_no_command_loads_django() -> None:
    code = (
        "import sys, pkgutil, importlib, signing.local_signer.commands as c\n"
        "for item in pkgutil.iter_modules(c.__path__): importlib.import_module(f'{c.__name__}.{item.name}')\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "signing.local_signer.commands.sign" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"django", "rq", "docker", "trustui"}


def test_inspecting_loads_no_library_for_what_it_does_not_meet() -> None:
    """Loading the readers of certificates and of odd HTTP takes longer than everything else a small inspect does."""
    code = (
        "import sys; from datetime import UTC, datetime\n"
        "import signing.local_signer.__main__, signing.local_signer.commands.inspect, signing.trust.notary.client\n"
        "import signing.trust.notary.transport, signing.trust.notary.pinning_file\n"
        "from signing.trust.notary.root_rules import check_root, read_root\n"
        "check_root(read_root(sys.stdin.buffer.read()), sys.argv[1], datetime(2027, 1, 1, tzinfo=UTC))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, samples.GUN],
        cwd=PROJECT,
        input=samples.metadata("root"),
        capture_output=True,
        check=True,
        timeout=60,
    )
    loaded = set(done.stdout.decode().split())
    assert "cryptography.hazmat.primitives.asymmetric.ec" in loaded
    assert not loaded & {"cryptography.x509", "cryptography.hazmat.primitives.serialization", "http.client", "shutil"}


def test_the_program_ends_with_the_commands_exit_code(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "signing.local_signer", "key", "list"]
    done = subprocess.run(argv, cwd=PROJECT, env={"HOME": str(tmp_path)}, capture_output=True, timeout=60, check=False)
    assert done.returncode in (Exit.DONE, Exit.NOTHING_TO_CHANGE)
    wrong = subprocess.run([*argv[:-1], "nonsense"], cwd=PROJECT, capture_output=True, timeout=60, check=False)
    assert wrong.returncode == Exit.USAGE
