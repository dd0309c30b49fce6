"""The programs of one installation: what each is called with, and how one sees that it is ready."""

from __future__ import annotations

import os
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from trustui.embedded import environment
from trustui.embedded.certificates import Certificates
from trustui.embedded.place import Place
from trustui.embedded.processes import Process

PROJECT = Path(__file__).resolve().parents[2]
SYNC_SECONDS = 30  # who left is out within a minute
QUEUES = ("signing", "docker", "notices")


@dataclass(frozen=True, slots=True)
class Parts:
    """Builds the programs from where they live and what they may know."""

    place: Place
    secrets: Path
    certificates: Certificates
    redis_url: str
    docker_host: str

    def program(self, name: str, settings: str, argv: list[str], *, shown: bool = False, **more: str) -> Process:
        """Form one Python program under the settings module `settings`; its output is logged unless `shown`."""
        env = environment.of(
            settings, self.place, secrets=self.secrets, redis_url=self.redis_url, docker_host=self.docker_host
        )
        log = None if shown else self.place.log / f"{name}.log"
        return Process(name, [sys.executable, *argv], env={**env, **more}, log=log, cwd=PROJECT)

    def web(self) -> Process:
        return self.program(
            "web",
            "web",
            [
                *_granian("trustui.wsgi:application", self.place.port),
                f"--workers={os.cpu_count() or 1}",
                "--blocking-threads=1",  # pages never wait for a network
            ],
        )

    def trust_server(self) -> Process:
        return self.program(
            "trust-server",
            "notary",
            [
                *_granian("trustui.rsgi_notary:application", self.place.trust_port, interface="rsgi"),
                "--workers=1",
                f"--ssl-certificate={self.certificates.server}",
                f"--ssl-keyfile={self.certificates.server_key}",
                "--ssl-protocol-min=tls1.2",
            ],
        )

    def workers(self) -> list[Process]:
        """One worker per queue, and the scheduler; without a broker the workers poll and schedule themselves."""
        if not self.redis_url:
            return [self._worker(queue, ["poll_worker", queue]) for queue in QUEUES]
        # Quiet: rq would write a line for every tick of the schedule.
        command = ["rqworker", "--serializer=rq.serializers.JSONSerializer", "--verbosity=0"]
        workers = [self._worker(queue, [*command, queue]) for queue in QUEUES]
        return [*workers, self.program("scheduler", "scheduler", ["manage.py", "run_schedule"])]

    def people_sync(self) -> list[Process]:
        """Give the program that asks directories who left, where there are any; it knows what the pages know."""
        if not (os.environ.get("OIDC_URL") or os.environ.get("LDAP_URL")):
            return []
        return [self.program("people-sync", "web", ["manage.py", "sync_people", f"--every={SYNC_SECONDS}"])]

    def preparations(self) -> list[Process]:
        """List the programs that bring the database up to date, to be run one after the other."""
        return [
            self.program(
                "first-start",
                "web",
                ["-m", "trustui.embedded.first_start"],
                shown=True,  # it prints a password, which no log may keep
                TRUST_URL=self.place.trust_url,
                TRUST_CA_FILE=str(self.certificates.ca),
            ),
            self.program("migrate-trust-server", "notary", ["manage.py", "migrate", "trust_server", "--verbosity=0"]),
        ]

    def demo_image(self, source: str) -> Process:
        """Put the image into the private registry that the seed then publishes as `source`."""
        return self.program("demo-image", "docker_worker", ["-m", "trustui.embedded.demo_image", source])

    def seed(self, registry: str, source: str) -> Process:
        """Do the walk-through once; shown, since it prints what happens and three passwords."""
        words = ["-m", "trustui.embedded.seed", registry, *([source] if source else [])]
        return self.program("seed", "web", words, shown=True)

    def inspect(self, name: str) -> Process:
        """Show what a client that knows nothing but the trust server's CA finds out about a name."""
        options = ["--server", self.place.trust_url, "--ca", str(self.certificates.ca)]
        folder = ["--trust-dir", str(self.place.run / "demo-trust")]
        words = ["-m", "signing.local_signer.main", "inspect", "--pretty", *options, *folder, name]
        return self.program("trustctl", "scheduler", words, shown=True)

    def is_web_ready(self) -> bool:
        return _says_ok(f"{self.place.web_url}/healthz")

    def is_trust_server_ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.certificates.ca))
        return _says_ok(f"{self.place.trust_url}/_notary_server/health", context)

    def _worker(self, queue: str, command: list[str]) -> Process:
        return self.program(f"{queue}-worker", f"{queue}_worker", ["manage.py", *command])


def _granian(application: str, port: int, interface: str = "wsgi") -> list[str]:
    return [
        "-m",
        "granian",
        f"--interface={interface}",
        "--host=127.0.0.1",
        f"--port={port}",
        "--no-ws",
        "--log-level=warning",
        application,
    ]


def _says_ok(url: str, verify: ssl.SSLContext | bool = True) -> bool:
    proxied = {"X-Forwarded-Proto": "https"}  # under HTTPS_ONLY anything else is redirected
    try:
        answer = httpx.get(url, headers=proxied, verify=verify, timeout=2, trust_env=False)
        return answer.status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
