"""Our trust server as an operator starts it: `manage.py trustserver`."""

from __future__ import annotations

import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.builtin_server import PROJECT, START_SECONDS, BuiltinServer
from tests.parts.programs import Outcome, run
from trustui.embedded.processes import Process

AUTH_NONE = ("--auth", "none")


@dataclass(slots=True)
class StandaloneServer(BuiltinServer):
    """The same server through its own command; `options` are those of authentication."""

    options: Sequence[str] = AUTH_NONE
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> StandaloneServer:
        self.migrate()
        argv = self.command_line(f"127.0.0.1:{self.port}")
        self._process = Process("trust server", argv, env=self._environment(), log=self.log, cwd=PROJECT).start()
        self._process.wait_ready(self._answers, START_SECONDS)
        return self

    def migrate(self) -> None:
        self.database_file.parent.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        run(argv, env=self._environment(), folder=PROJECT).succeeded()

    def command_line(self, bind: str) -> list[str]:
        pair = self._authority.issue("trust-server")
        tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
        workers = ("--workers", str(self.workers))
        return [sys.executable, "manage.py", "trustserver", "--bind", bind, *tls, *workers, *self.options]

    def manage(self, *arguments: str) -> Outcome:
        """Run another of its commands on its database."""
        return run([sys.executable, "manage.py", *arguments], env=self._environment(), folder=PROJECT)

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.ca_pem)

    def issue_client(self, name: str) -> tuple[Path, Path]:
        """Give certificate and key files of a client that its CA knows."""
        pair = self._authority.issue(name)
        return pair.certificate, pair.key

    def _environment(self) -> dict[str, str]:
        return {**BuiltinServer._environment(self), **self.environment}

    def _answers(self) -> bool:
        context = self.client_context()
        if "--client-ca" in self.options:
            context.load_cert_chain(*self.issue_client("probe"))
        try:
            urllib.request.urlopen(f"{self.url}/_notary_server/health", context=context, timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True
