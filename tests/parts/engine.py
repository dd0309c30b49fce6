"""A private Docker Engine and a private registry, started the way `make run` starts its own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.ports import free_port
from tests.parts.programs import require_program
from trustui.embedded import engine, registry
from trustui.embedded.place import Place
from trustui.embedded.processes import Process


@dataclass(slots=True)
class Registry:
    """docker-registry over plain HTTP, which the engine accepts on loopback."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: Process | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> Registry:
        require_program("docker-registry")
        self._process = registry.start(_place(self.folder, self.folder), self.host)
        return self

    def resume(self) -> None:
        self.start()

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def stop(self) -> None:
        if self._process:
            self._process.stop()


@dataclass(slots=True)
class Engine:
    """dockerd with its own socket and data; it needs root. The system's own engine is left alone."""

    folder: Path
    insecure_registry: str
    url: str = ""
    _process: Process | None = None
    _sockets: tempfile.TemporaryDirectory[str] = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="engine-")  # a socket path has 107 bytes at most
    )

    def start(self) -> Engine:
        require_program("dockerd")
        found = engine.start(_place(self.folder, Path(self._sockets.name)), self.insecure_registry)
        assert found.process, found.sentence
        self.url, self._process = found.address, found.process
        return self

    def resume(self) -> None:
        self.start()

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def stop(self) -> None:
        if self._process:
            self._process.stop(timeout=20)
        self._sockets.cleanup()


def _place(var: Path, run: Path) -> Place:
    return Place(var=var, run=run, port=0, trust_port=0)
