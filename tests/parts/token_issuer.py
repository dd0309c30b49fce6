"""The dashboard's web process as the token issuer of a trust server, with people of its own."""

from __future__ import annotations

import os
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.builtin_server import PROJECT, START_SECONDS
from tests.parts.ports import free_port
from tests.parts.programs import run
from trustui.embedded import secrets
from trustui.embedded.processes import Process

PASSWORD = "a password of a test"
PEOPLE = """
from signing.models import Account, Membership, TrustServer, User
server = TrustServer.objects.create(name="builtin", url="https://127.0.0.1:1")
account = Account.objects.create(name="team", registry=registry, namespace=namespace, trust_server=server)
User.objects.create_superuser("root", password=password)
User.objects.create_user("outsider", password=password)
for role in Membership.Role.values:
    user = User.objects.create_user(role, password=password)
    Membership.objects.create(account=account, user=user, role=role)
"""
TOKEN = """
from signing.models import User
from signing.services.api_tokens import create_token
user = User.objects.get(username=name)
print(create_token(actor=user, user=user, name="ci", scopes=scopes, days=1)[1])
"""


@dataclass(slots=True)
class TokenIssuer:
    """People named after their roles in one account (lead, signer, developer, auditor), root, and an outsider."""

    folder: Path
    registry: str
    namespace: str
    port: int = field(default_factory=free_port)
    _process: Process | None = None

    @property
    def realm(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def bundle(self) -> Path:
        return self.folder / "token-issuer.pem"

    def start(self) -> TokenIssuer:
        self.folder.mkdir(parents=True, exist_ok=True)
        secrets.ensure(self.folder)
        for command in (["make_token_issuer", str(self.folder)], ["migrate", "--verbosity=0"], ["createcachetable"]):
            self._manage(*command)
        given = f"registry, namespace, password = {(self.registry, self.namespace, PASSWORD)!r}"
        self._manage("shell", "--verbosity=0", "-c", given + PEOPLE)
        argv = [sys.executable, "-m", "granian", "--interface=wsgi", f"--port={self.port}", "trustui.wsgi:application"]
        log = self.folder / "web.log"
        self._process = Process("web", argv, env=self._environment(), log=log, cwd=PROJECT).start()
        self._process.wait_ready(self._answers, START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def options(self, *more: str) -> tuple[str, ...]:
        """Give the options of a trust server that believes this issuer."""
        return ("--auth", "token", "--auth-realm", self.realm, "--auth-bundle", str(self.bundle), *more)

    def api_token(self, person: str, *scopes: str) -> str:
        """Make an API token of a person's own."""
        given = f"name, scopes = {(person, scopes)!r}"
        return self._manage("shell", "--verbosity=0", "-c", given + TOKEN).strip()

    def _manage(self, *arguments: str) -> str:
        env = self._environment()
        if arguments[0] == "make_token_issuer":
            env = {name: value for name, value in env.items() if not name.startswith("TOKEN_")}
        return run([sys.executable, "manage.py", *arguments], env=env, folder=PROJECT).succeeded().stdout

    def _environment(self) -> dict[str, str]:
        held = {
            f"{name}_FILE": str(self.folder / "secrets" / name.lower())
            for name in ("SECRET_KEY", "SEALING_PUBLIC_KEYS")
        }
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "DJANGO_SETTINGS_MODULE": "trustui.settings.web",
            "TRUSTUI_VAR": str(self.folder),
            "TOKEN_KEY_FILE": str(self.folder / "token-issuer-key.pem"),
            "TOKEN_CERTIFICATE_FILE": str(self.bundle),
            **held,
        }

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
