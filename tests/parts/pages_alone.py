"""The pages alone, as two web processes: for journeys that take no worker, no trust server and no Engine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.parts.builtin_server import PROJECT
from tests.parts.dashboard import ONE_TIME_PASSWORD
from tests.parts.ports import free_port
from tests.parts.programs import run
from trustui.embedded import certificates, secrets
from trustui.embedded.processes import Process

START_SECONDS = 90


@dataclass(slots=True)
class PagesAlone:
    """A new database with one administrator; granian with two workers in front of it."""

    folder: Path
    port: int = field(default_factory=free_port)
    passwords: dict[str, str] = field(default_factory=dict)
    _process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> PagesAlone:
        """Make the database and wait until the pages answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secrets.ensure(self.folder)
        ca_file = certificates.ensure(self.folder).ca
        env = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "trustui.settings.web",
            "TRUSTUI_VAR": str(self.folder),
            "TRUST_URL": "https://127.0.0.1:1",
            "TRUST_CA_FILE": str(ca_file),
        }
        first = run([sys.executable, "-m", "trustui.embedded.first_start"], env=env, folder=PROJECT).succeeded()
        self.passwords = dict(ONE_TIME_PASSWORD.findall(first.stdout))
        argv = [sys.executable, "-m", "granian", "--interface=wsgi", f"--port={self.port}", "--workers=2"]
        log = self.folder / "web.log"
        self._process = Process(
            "web", [*argv, "--blocking-threads=1", "trustui.wsgi:application"], env=env, log=log, cwd=PROJECT
        ).start()
        self._process.wait_ready(self._answers, START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False
