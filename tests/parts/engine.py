"""A private Docker Engine and a private registry."""

from __future__ import annotations

import http.client
import os
import socket
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.programs import require_program
from trustui.embedded.processes import Process, free_port

START_SECONDS = 40

REGISTRY_CONFIG = """\
version: 0.1
log:
  level: warn
storage:
  filesystem:
    rootdirectory: {root}
  delete:
    enabled: {deletes}
http:
  addr: 127.0.0.1:{port}
"""


@dataclass(slots=True)
class Registry:
    """docker-registry over plain HTTP, which the engine accepts on loopback."""

    folder: Path
    deletes: bool = True
    port: int = field(default_factory=free_port)
    _process: Process | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> Registry:
        program = require_program("docker-registry")
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "registry.yml"
        config.write_text(
            REGISTRY_CONFIG.format(root=self.folder / "data", port=self.port, deletes=str(self.deletes).lower())
        )
        self._process = Process(
            "docker-registry",
            [program, "serve", str(config)],
            env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
            log=self.folder / "registry.log",
        ).start()
        self._process.wait_ready(self._answers, START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}/v2/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass(slots=True)
class Engine:
    """dockerd with its own socket and data; it needs root. The system's own engine is left alone."""

    folder: Path
    insecure_registry: str
    _process: Process | None = None
    _sockets: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="engine-")  # a socket path has 107 bytes at most
    )

    @property
    def socket_file(self) -> Path:
        return Path(self._sockets.name) / "docker.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket_file}"

    def start(self) -> Engine:
        program = require_program("dockerd")
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "daemon.json"
        config.write_text("{}")
        argv = [
            program,
            f"--config-file={config}",
            "--iptables=false",
            "--bridge=none",
            "--storage-driver=vfs",
            f"--data-root={self.folder / 'data'}",
            f"--exec-root={self._sockets.name}/exec",
            f"--pidfile={self._sockets.name}/pid",
            f"--insecure-registry={self.insecure_registry}",
            f"--host={self.url}",
        ]
        env = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": str(self.folder)}
        self._process = Process("dockerd", argv, env=env, log=self.folder / "dockerd.log").start()
        self._process.wait_ready(self._answers, START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop(timeout=20)
        self._sockets.cleanup()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("engine", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.connect(str(self.socket_file))
            connection.request("GET", "/_ping")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
