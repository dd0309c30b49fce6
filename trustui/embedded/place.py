"""Where the embedded parts keep their state, and which addresses they use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trustui.embedded.processes import port_is_free

# A socket's path has at most 107 bytes; the longest one under `run` is containerd's, started by dockerd.
LONGEST_SOCKET = "exec/containerd/containerd-debug.sock"
SOCKET_PATH_BYTES = 107


class CannotStart(Exception):
    """What stands in the way of starting, and what to do about it, as one text for people."""


@dataclass(frozen=True, slots=True)
class Place:
    """The state folder, the folder of sockets and the three ports of one installation."""

    var: Path
    run: Path
    port: int
    trust_port: int

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def trust_url(self) -> str:
        return f"https://127.0.0.1:{self.trust_port}"


@contextlib.contextmanager
def opened(environ: Mapping[str, str]) -> Iterator[Place]:
    """Hold the state folder for this process alone and hand out its place.

    Raises:
        CannotStart: a port is taken or no number, or another start holds the same folder.
    """
    var = Path(environ.get("TRUSTUI_VAR") or "var").resolve()
    private_folder(var)
    with _locked(var / "embedded.lock"), _run_folder(var, environ) as run:
        yield Place(
            var=var,
            run=run,
            port=_free("PORT", environ, 8000, "the dashboard"),
            trust_port=_free("TRUST_PORT", environ, 4443, "the trust server"),
        )


def private_folder(path: Path) -> Path:
    """Make a folder that this user alone may enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def port_from(name: str, environ: Mapping[str, str], default: int) -> int:
    """Read a port number.

    Raises:
        CannotStart: it is not one.
    """
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name}={text} is not a port number between 1 and 65535.")
    return int(text)


def require_free(port: int, name: str, whose: str) -> int:
    """Return the port when it is free.

    Raises:
        CannotStart: another program listens on it; the text names the variable that changes it.
    """
    if not port_is_free(port):
        raise CannotStart(
            f"Port {port} for {whose} is taken by another program.\n"
            f"End that program, or choose another port: make run {name}={port + 1}"
        )
    return port


def _free(name: str, environ: Mapping[str, str], default: int, whose: str) -> int:
    return require_free(port_from(name, environ, default), name, whose)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise CannotStart(
                f"It runs already in {path.parent} (process {file.read().strip() or 'unknown'}).\n"
                "Use that one, end it first, or choose another state folder: make run TRUSTUI_VAR=PATH"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield  # the kernel gives the lock back however this process ends


@contextlib.contextmanager
def _run_folder(var: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Make an empty folder for sockets: under `var`, or a short temporary one where that path is too long."""
    run = var / "run"
    if len(os.fsencode(run / LONGEST_SOCKET)) > SOCKET_PATH_BYTES:
        run = Path(tempfile.mkdtemp(prefix="trustui-", dir=environ.get("XDG_RUNTIME_DIR") or "/tmp"))  # noqa: S108
    elif run.exists():
        shutil.rmtree(run, ignore_errors=True)  # a killed run left it
    private_folder(run)
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)
