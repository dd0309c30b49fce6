"""Find a Docker Engine, else start a private one that leaves the system's Docker alone."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trustui.embedded.place import Place, private_folder
from trustui.embedded.processes import NotReady, Process

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Found:
    """An Engine's address, "" where there is none; the sentence that says so; the program when it is ours."""

    address: str
    sentence: str
    process: Process | None = None

    @property
    def is_local(self) -> bool:
        """Tell whether it reaches what listens on this machine's 127.0.0.1."""
        return self.address.startswith(("unix://", "tcp://127.0.0.1", "tcp://localhost"))


def find(environ: Mapping[str, str]) -> Found | None:
    """Take the Engine that DOCKER_HOST names, else one that answers at a usual socket; None: look no further.

    An Engine that was named is never replaced by another: when it does not answer now, the worker keeps asking.
    """
    if named := environ.get("DOCKER_HOST"):
        away = named.startswith("unix://") and not answers(Path(named.removeprefix("unix://")))
        return Found(named, f"Docker Engine: {named} (DOCKER_HOST){'; it does not answer yet' if away else ''}.")
    for path in usual_sockets(environ):
        if path.is_socket() and answers(path):
            return Found(f"unix://{path}", f"Docker Engine: the one at {path}.")
    return None


def usual_sockets(environ: Mapping[str, str]) -> list[Path]:
    """List where an Engine listens by default, as the system's service and without root."""
    rootless = environ.get("XDG_RUNTIME_DIR")
    return [Path("/var/run/docker.sock"), *([Path(rootless) / "docker.sock"] if rootless else [])]


def answers(path: Path) -> bool:
    """Tell whether an Engine answers at this socket."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


def start(place: Place, registry: str) -> Found:
    """Start a private Engine that may use `registry` without TLS; without one, the sentence says how to get it."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        return Found("", NO_ENGINE)
    path = place.run / "docker.sock"
    _configuration(place).write_text("{}")  # without a file of its own it reads the system's
    process = Process("engine", command(place, registry), log=place.log / "engine.log", env=_environment())
    try:
        process.start()
        process.wait_ready(lambda: answers(path), START_SECONDS)
    except NotReady as error:
        return Found("", f"Docker Engine: off. The private one did not start.\n{error}")
    return Found(f"unix://{path}", "Docker Engine: a private one, separate from the system's Docker.", process)


NO_ENGINE = (
    "Docker Engine: off; pulling, tagging and pushing wait for one, everything else works.\n"
    "  To turn it on: start Docker, or set DOCKER_HOST, or run as root on Debian or Ubuntu without NO_APT."
)


def command(place: Place, registry: str) -> list[str]:
    """Form dockerd's command: no network of its own, no system folder, its own corner of a shared containerd."""
    data = private_folder(place.var / "engine")
    options = [
        "--iptables=false",
        "--bridge=none",
        "--storage-driver=vfs",  # works on any file system and inside containers
        f"--data-root={data}",
        f"--exec-root={place.run / 'exec'}",
        f"--host=unix://{place.run / 'docker.sock'}",
        f"--pidfile={place.run / 'docker.pid'}",
        "--containerd-namespace=trustui",
        "--containerd-plugins-namespace=trustui-plugins",
        f"--config-file={_configuration(place)}",
    ]
    if registry:
        options.append(f"--insecure-registry={registry}")
    return ["dockerd", *options]


def _configuration(place: Place) -> Path:
    return place.run / "daemon.json"


def _environment() -> dict[str, str]:
    """Leave out what would turn the private Engine into a copy of another one's configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
