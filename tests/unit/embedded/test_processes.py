"""A program we start ends when we say so, and takes its children along."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.ports import free_port
from tests.parts.waiting import wait_until
from trustui.embedded.processes import NotReady, Process, accepts, port_is_free

LISTEN = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
server.accept()
"""
STUBBORN_FAMILY = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if not os.fork():
    os.setpgrp()  # as the process does in which rq runs a job
os.write(1, b"%d\\n" % os.getpid())
while True:
    time.sleep(60)
"""


def is_gone(pid: int) -> bool:
    """A zombie counts as gone: it runs nothing, and whoever adopted it has only not looked yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def written(process: Process) -> str:
    assert process.log is not None
    return process.log.read_text()


def python(name: str, code: str, tmp_path: Path, *args: str) -> Process:
    return Process(name, [sys.executable, "-c", code, *args], log=tmp_path / "log" / f"{name}.log")


def test_ready_when_the_check_says_so_and_gone_after_stop(tmp_path: Path) -> None:
    port = free_port()
    process = python("listener", LISTEN, tmp_path, str(port)).start()
    process.wait_ready(lambda: written(process) == "up\n", 10)
    pid = process.pid
    assert process.is_alive
    assert pid is not None
    process.stop()
    process.stop()
    assert not process.is_alive
    assert is_gone(pid)
    assert port_is_free(port)


def test_one_that_ignores_the_request_is_killed_with_its_child(tmp_path: Path) -> None:
    process = python("stubborn", STUBBORN_FAMILY, tmp_path).start()
    process.wait_ready(lambda: len(written(process).split()) == 2, 10)
    pids = [int(word) for word in written(process).split()]
    process.stop(timeout=0.2)
    wait_until(lambda: all(is_gone(pid) for pid in pids), 5, "both are gone")


def test_an_early_end_is_reported_with_its_last_words(tmp_path: Path) -> None:
    process = python("short", "import sys; print('no disk'); sys.exit(3)", tmp_path).start()
    with pytest.raises(NotReady, match=r"short ended with code 3\.\nno disk"):
        process.wait_ready(lambda: False, 10)
    process.stop()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    process = python("slow", "import time; time.sleep(60)", tmp_path).start()
    with pytest.raises(NotReady, match="slow was not ready after"):
        process.wait_ready(lambda: False, 0.1)
    process.stop()


def test_an_absent_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="ghost could not be started"):
        Process("ghost", [str(tmp_path / "ghost")], log=tmp_path / "ghost.log").start()


def test_the_environment_is_not_shown(tmp_path: Path) -> None:
    process = Process("web", ["true"], env={"SECRET_KEY": "canary"}, log=tmp_path / "web.log")
    assert "canary" not in repr(process)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does this on Linux only")
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom trustui.embedded.processes import Process\n"
        "p = Process('child', [sys.executable, '-c', 'import time; time.sleep(60)'], log=Path(sys.argv[1]))\n"
        "print(p.start().pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "child.log")], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: is_gone(child), 5, "the child is gone")


@pytest.mark.loopback
def test_a_taken_port_is_seen(tmp_path: Path) -> None:
    port = free_port()
    assert port_is_free(port)
    assert not accepts(port)
    process = python("listener", LISTEN, tmp_path, str(port)).start()
    process.wait_ready(lambda: written(process) == "up\n", 10)
    assert not port_is_free(port)
    assert accepts(port)
    process.stop()
