"""The product as several processes, with something that breaks in front of each part it reaches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.parts.faulty import Fault, Faulty, to_port, to_socket
from tests.parts.installation import Installation, installed
from tests.parts.lying_server import LyingServer
from tests.parts.ports import free_port
from tests.parts.small_servers import small_server
from tests.parts.waiting import wait_until
from trustui.embedded.processes import NotReady, Process

EVERY = 2  # seconds between two looks
START_SECONDS = 90
FINE = ("good", "warning")
RQ = ("rqworker", "--serializer=rq.serializers.JSONSerializer", "--verbosity=0")

PEOPLE = """
from django.test import Client
from signing.models import Account, Repository, TrustServer, User
admin = User.objects.create_superuser("root", password="pw")
server = TrustServer.objects.create(name="notary", url={url!r}, ca_pem={ca!r})
account = Account.objects.create(name="team", registry={registry!r}, namespace="team", trust_server=server)
Repository.objects.create(account=account, gun={registry!r} + "/team/app")
client = Client()
client.force_login(admin)
print(client.cookies["trustui_session"].value)
"""


@dataclass
class WatchedStack:
    """Pages, three workers and the scheduler; `faults` are by the name of the part that breaks."""

    made: Installation
    faults: dict[str, Faulty]
    registry: str
    port: int = field(default_factory=free_port)
    cookie: str = ""
    starts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    running: dict[str, Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> WatchedStack:
        """Start every process and wait until each part is told of."""
        self.starts = {name: (f"{name}_worker", *RQ, name) for name in ("signing", "docker", "notices")}
        self.starts["scheduler"] = ("scheduler", "run_schedule")
        argv = [sys.executable, "-m", "granian", "--interface=wsgi", f"--port={self.port}", "--blocking-threads=1"]
        folder = self.made.folder
        env = self.made.env("web")
        web = Process("web", [*argv, "--workers=2", "trustui.wsgi:application"], env=env, log=folder / "web.log")
        self.made.processes.append(web.start())
        self.revive()
        wait_until(self.is_up, START_SECONDS, "the pages")
        self.wait_good(START_SECONDS)
        return self

    def wait_good(self, seconds: float) -> None:
        """Wait until every part works, starting anew what ended.

        Raises:
            NotReady: the time was over; the text says what is wrong.
        """
        try:
            wait_until(self.all_good, seconds, "everything works")
        except NotReady as late:
            wrong = {name: part["sentence"] for name, part in self.parts().items() if part["state"] not in FINE}
            raise NotReady(f"{late} Wrong: {wrong}") from None

    def revive(self) -> None:
        """Start anew what ended, as the supervisor or the container's restart policy does."""
        for name, (part, *arguments) in self.starts.items():
            if name not in self.running or not self.running[name].is_alive:
                self.running[name] = self.made.start(name, part, *arguments)

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False, timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def ask(self, path: str) -> tuple[httpx.Response, float]:
        """Open an address as the administrator; the second value is how long that took."""
        began = time.monotonic()
        cookies = {"trustui_session": self.cookie}
        answer = httpx.get(f"{self.url}{path}", cookies=cookies, trust_env=False, timeout=20)
        return answer, time.monotonic() - began

    def post(self, path: str) -> tuple[httpx.Response, float]:
        """Press a button."""
        with httpx.Client(base_url=self.url, cookies={"trustui_session": self.cookie}, trust_env=False) as client:
            client.get("/health/")
            token = client.cookies["csrftoken"]
            began = time.monotonic()
            answer = client.post(path, data={"csrfmiddlewaretoken": token}, headers={"Referer": self.url}, timeout=20)
            return answer, time.monotonic() - began

    def parts(self) -> dict[str, dict[str, Any]]:
        """Tell each part's state as the endpoint has it; empty while it cannot answer."""
        answer, _ = self.ask("/api/v1/health")
        return {part["name"]: part for part in answer.json()["parts"]} if answer.status_code == 200 else {}

    def state(self, name: str) -> str:
        return str(self.parts().get(name, {}).get("state", "away"))

    def all_good(self) -> bool:
        """Tell whether nothing that this stack has is wrong."""
        self.revive()
        found = self.parts()
        wanted = {"trust-server:notary", f"registry:{self.registry}", "engine", "broker", "scheduler", "queue:signing"}
        return wanted <= found.keys() and all(part["state"] in FINE for part in found.values())

    def log(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-1500:]}" for log in self.made.folder.glob("*.log"))


@contextmanager
def watched_stack(folder: Path, redis_url: str, postgres_port: int, database: str) -> Iterator[WatchedStack]:
    """Build it on a Redis behind a socket file and a database of a PostgreSQL on this machine."""
    with ExitStack() as opened:
        truth = LyingServer(folder / "truth", "", "")
        truth.ask = lambda *_: (200, b"{}", "application/json")
        truth.start()
        opened.callback(truth.stop)
        small = opened.enter_context(small_server())
        faults = {
            "trust server": Faulty(to_port(int(truth.url.rpartition(":")[2]))),
            "registry": Faulty(to_port(small)),
            "engine": Faulty(to_port(small), path=folder / "engine.sock"),
            "redis": Faulty(to_socket(redis_url.removeprefix("unix://"))),
            "database": Faulty(to_port(postgres_port)),
        }
        for fault in faults.values():
            opened.callback(fault.start().stop)
        settings = {
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{faults['database'].port}/{database}?sslmode=disable",
            "DOCKER_HOST": f"unix://{folder / 'engine.sock'}",
            "HEALTH_EVERY_SECONDS": str(EVERY),
            "ALLOWED_HOSTS": "127.0.0.1,testserver",
        }
        made = installed(folder, f"redis://127.0.0.1:{faults['redis'].port}/0", **settings)
        opened.callback(made.stop)
        made.manage("web", "collectstatic", "--noinput", "--verbosity=0")
        made.manage("web", "createcachetable")
        registry = f"127.0.0.1:{faults['registry'].port}"
        stack = WatchedStack(made, faults, registry)
        url = f"https://127.0.0.1:{faults['trust server'].port}"
        stack.cookie = made.shell(PEOPLE.format(url=url, ca=truth.ca_pem, registry=registry))
        yield stack.start()


__all__ = ("Fault", "WatchedStack", "watched_stack")
