"""Our own trust server as a process of its own, as it runs in production: granian with TLS."""

from __future__ import annotations

import base64
import os
import secrets
import ssl
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.parts.programs import run
from tests.parts.trust_server import LocalTrustServer
from trustui.embedded.processes import Process

START_SECONDS = 30
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class BuiltinServer(LocalTrustServer):
    """The built-in trust server on a database of its own; `start` gives it back ready."""

    database_url: str = ""
    workers: int = 2
    threads: int = 16
    _process: Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / "trust-server.log"

    @property
    def database_file(self) -> Path:
        return self.folder / "var" / "trustui.sqlite3"

    def start(self) -> BuiltinServer:
        self.database_file.parent.mkdir(exist_ok=True)
        argv = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        run(argv, env=self._environment(), folder=PROJECT).succeeded()
        return self.resume()

    def resume(self) -> BuiltinServer:
        """Start the server on a database that is there already."""
        pair = self._authority.issue("trust-server")
        argv = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)),
            *("--blocking-threads", str(self.threads), "--ssl-protocol-min", "tls1.2"),
            *("--ssl-certificate", str(pair.certificate), "--ssl-keyfile", str(pair.key)),
            "trustui.wsgi_notary:application",
        ]
        self._process = Process("trust server", argv, env=self._environment(), log=self.log, cwd=PROJECT).start()
        self._process.wait_ready(self._is_healthy, START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        if self._process:
            self._process.kill()

    def _environment(self) -> dict[str, str]:
        master_key = self.folder / "master.key"
        if not master_key.exists():
            master_key.touch(mode=0o600)
            master_key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "DJANGO_SETTINGS_MODULE": "trustui.settings.notary",
            "TRUSTUI_VAR": str(self.folder / "var"),
            "TRUST_SERVER_MASTER_KEY_FILE": str(master_key),
        }
        return env | ({"DATABASE_URL": self.database_url} if self.database_url else {})

    def _is_healthy(self) -> bool:
        context = ssl.create_default_context(cadata=self.ca_pem)
        try:
            with urllib.request.urlopen(f"{self.url}/v2/", context=context, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
