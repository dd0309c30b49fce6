"""The whole product as `make run` starts it, in a state folder of its own."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.builtin_server import PROJECT
from tests.parts.ports import free_port
from trustui.embedded.processes import Process

START_SECONDS = 120
READY = re.compile(r"^Open (http\S+) in a browser", re.MULTILINE)
ONE_TIME_PASSWORD = re.compile(r"^\s*(\S+)\s+([a-z2-9]{5}(?:-[a-z2-9]{5}){3})\b", re.MULTILINE)


@dataclass(slots=True)
class Dashboard:
    """Web, trust server, workers, broker and registry on free ports, with this Docker Engine."""

    folder: Path
    engine_url: str
    port: int = field(default_factory=free_port)
    trust_port: int = field(default_factory=free_port)
    registry_port: int = field(default_factory=free_port)
    _process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def trust_url(self) -> str:
        return f"https://127.0.0.1:{self.trust_port}"

    @property
    def registry(self) -> str:
        return f"127.0.0.1:{self.registry_port}"

    @property
    def var(self) -> Path:
        return self.folder / "var"

    @property
    def output(self) -> str:
        """Everything it told the person at the terminal so far."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def passwords(self) -> dict[str, str]:
        """The one-time passwords it printed, by user name."""
        return dict(ONE_TIME_PASSWORD.findall(self.output))

    def start(self) -> Dashboard:
        """Start it and wait until it says which address to open."""
        self.folder.mkdir(parents=True, exist_ok=True)
        said_before = len(READY.findall(self.output))
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "NO_APT": "1",
            "TRUSTUI_VAR": str(self.var),
            "PORT": str(self.port),
            "TRUST_PORT": str(self.trust_port),
            "REGISTRY_PORT": str(self.registry_port),
            "DOCKER_HOST": self.engine_url,
        }
        argv = [sys.executable, "-m", "trustui.embedded"]
        self._process = Process("make run", argv, env=env, log=self._log, cwd=PROJECT).start()
        self._process.wait_ready(lambda: len(READY.findall(self.output)) > said_before, START_SECONDS)
        return self

    def stop(self) -> None:
        """End it the way Ctrl+C does and wait for the whole tree."""
        if self._process:
            self._process.stop(timeout=30)

    def part_log(self, name: str) -> str:
        """Give what one part logged, for the message of a failing test."""
        file = self.var / "log" / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder / "terminal.log"
