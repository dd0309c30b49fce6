"""Start, watch and end programs, each in a process group of its own.

Nothing here knows what the programs are; the supervisor and the tests both build on it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class NotReady(Exception):
    """A program or a condition did not become what was waited for; the text says which and why."""


class Process:
    """One program in its own session, with its output appended to `log`, or shown as ours where that is None.

    On Linux it also gets SIGTERM when the thread that started it ends, however that ends, so start it from
    the main thread or from one that outlives it.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.env = None if env is None else dict(env)
        self.log = log
        self.cwd = cwd
        self._popen: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<Process {self.name} pid={self.pid}>"  # never its environment

    def start(self) -> Process:
        """Start the program and return this object.

        Raises:
            NotReady: it is not installed or may not be run.
        """
        with contextlib.ExitStack() as opened:
            try:
                self._popen = subprocess.Popen(  # noqa: S603  the argument list comes from our own code
                    self.argv,
                    env=self.env,
                    cwd=self.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=None if self.log is None else opened.enter_context(_appending(self.log)),
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_follow(os.getpid()),  # one system call; no lock is taken
                )
            except OSError as error:
                raise NotReady(f"{self.name} could not be started: {error}") from error
        return self

    @property
    def pid(self) -> int | None:
        """The process id, also after its end; None before the start."""
        return self._popen.pid if self._popen else None

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs and before the start."""
        return self._popen.poll() if self._popen else None

    @property
    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def wait_ready(self, check: Callable[[], bool], timeout: float) -> None:
        """Wait until `check` says yes while the program lives; end it when that does not come about.

        Raises:
            NotReady: it ended or the time was over; the text carries the end of its log.
        """
        deadline = time.monotonic() + timeout
        try:
            while not check():
                if not self.is_alive:
                    raise NotReady(f"{self.name} ended with code {self.returncode}.\n{self.tail()}")
                if time.monotonic() > deadline:
                    raise NotReady(f"{self.name} was not ready after {timeout:g} s.\n{self.tail()}")
                time.sleep(POLL_SECONDS)
        except BaseException:  # an interrupt too: nobody else knows of this program yet
            self.stop()
            raise

    def ask_to_end(self) -> None:
        """Send SIGTERM to the program and do not wait."""
        if self.is_alive:
            self._signal(signal.SIGTERM)

    def stop(self, timeout: float = 10.0) -> None:
        """End the program and what it left in its session: ask first, kill after `timeout`; safe to repeat."""
        if self._popen is None:
            return
        self.ask_to_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
        members = _session_members(self._popen.pid)  # some put themselves into a group of their own
        self._signal(signal.SIGKILL)
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._popen.wait()
        self._popen = None

    def kill(self) -> None:
        """End the program and its session at once, as a power cut does."""
        if self._popen is not None:
            self._signal(signal.SIGKILL)
            self.stop()

    def tail(self, lines: int = 15) -> str:
        """Return the end of the log, for an error message."""
        if self.log is None:
            return ""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a finished group
                os.killpg(self._popen.pid, number)


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel send SIGTERM to this process when its parent ends (Linux; elsewhere nothing)."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent is not None and os.getppid() != parent:  # it ended before the call above
        os._exit(0)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something accepts connections on `port`."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def _appending(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _session_members(leader: int) -> list[int]:
    """List the living processes of a session, where the system tells (Linux)."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name in parentheses: state, parent, group, session.
            if stat.read_text().rpartition(")")[2].split()[3] == str(leader):
                members.append(int(stat.parent.name))
    return members


def _follow(parent: int) -> Callable[[], None] | None:
    return None if _libc is None else lambda: end_with_parent(parent)
