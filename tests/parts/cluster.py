"""The product as it runs on several machines: copies of every part on one PostgreSQL and one Redis.

Each copy has a state folder of its own, so that nothing can depend on a file another copy wrote; what they share is
what an operator gives to all of them: the addresses, the certificate authority, and to each part its own secrets.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.parts.balancer import Balancer
from tests.parts.builtin_server import PROJECT
from tests.parts.engine import Engine, Registry
from tests.parts.ports import free_port
from tests.parts.stores import Postgres
from trustui.embedded import certificates, environment, secrets
from trustui.embedded.parts import Parts
from trustui.embedded.place import Place
from trustui.embedded.processes import Process, accepts

READY_SECONDS = 90


@dataclass
class Cluster:
    """Starts the copies and stops them; `kill` ends one as a power cut does, `resume` starts it again."""

    folder: Path
    postgres: Postgres
    redis_url: str
    engine: Engine
    registry: Registry
    copies: int = 2
    processes: dict[str, Process] = field(default_factory=dict)
    database_url: str = ""
    web: Balancer = field(init=False)
    trust: Balancer = field(init=False)
    _ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = range(1, self.copies + 1)
        self._ports = {f"{part}-{number}": free_port() for part in ("web", "trust") for number in numbers}
        self.web, self.trust = (
            Balancer([self._ports[f"{part}-{number}"] for number in numbers]) for part in ("web", "trust")
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    @property
    def trust_url(self) -> str:
        return f"https://127.0.0.1:{self.trust.port}"

    @property
    def ca_pem(self) -> str:
        return certificates.ensure(self.folder / "shared").ca.read_text()

    def start(self) -> Cluster:
        """Make the database, start every copy and wait until all of them serve."""
        self.database_url = self.postgres.create_database(self.folder.name)
        shared = self.folder / "shared"
        shared.mkdir(parents=True)
        secrets.ensure(shared)
        certificates.ensure(shared)
        self.web.start()
        self.trust.start()
        first = self._parts("first")
        for program in first.preparations():
            self._run_to_end(self._in_cluster(program))
        for number in range(1, self.copies + 1):
            parts = self._parts(str(number))
            self._keep(f"web-{number}", parts.web())
            self._keep(f"trust-{number}", parts.trust_server())
            signing, docker, notices, scheduler = parts.workers()
            self._keep(f"signing-{number}", signing)
            self._keep(f"docker-{number}", docker)
            if number == 1:
                self._keep("notices-1", notices)
                self._keep("scheduler-1", scheduler)
        for name in self._ports:
            self.processes[name].wait_ready(lambda port=self._ports[name]: accepts(port), READY_SECONDS)  # type: ignore[misc]
        return self

    def kill(self, name: str) -> None:
        """End one copy and all its children at once."""
        self.processes[name].kill()

    def resume(self, name: str) -> None:
        """Start a copy again."""
        self.processes[name].start()

    def look_after(self) -> list[str]:
        """Start again what ended by itself, as a supervisor does; gives the names."""
        ended = [name for name, process in self.processes.items() if not process.is_alive]
        for name in ended:
            self.processes[name].stop()
            self.resume(name)
        return ended

    def stop(self) -> None:
        """End everything that was started."""
        for process in self.processes.values():
            process.ask_to_end()
        for process in self.processes.values():
            process.stop()
        self.web.stop()
        self.trust.stop()

    def program(self, module: str, *words: str) -> Any:
        """Run a module under the web's settings and give what its last line says as JSON."""
        process = self._in_cluster(self._parts("1").program(module, "web", ["-m", module, *words]))
        done = subprocess.run(
            process.argv, env=process.env, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        with psycopg.connect(self.database_url, connect_timeout=5) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def api(self, token: str) -> httpx.Client:
        """Speak to the API through the load balancer, a new connection each time."""
        return httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}", "Connection": "close"},
            timeout=10,
            trust_env=False,
        )

    def log(self, name: str) -> str:
        """Give what one copy logged, for the message of a failing test."""
        file = self.processes[name].log
        return file.read_text(errors="replace") if file and file.exists() else ""

    def _keep(self, name: str, process: Process) -> None:
        process.name = name
        process.log = self.folder / "log" / f"{name}.log"
        self.processes[name] = self._in_cluster(process)
        process.start()

    def _parts(self, copy: str) -> Parts:
        folder = self.folder / f"copy-{copy}"
        for name in ("", "log", "run"):
            (folder / name).mkdir(exist_ok=True)
        shared = self.folder / "shared"
        place = Place(
            var=folder,
            run=folder / "run",
            port=self._ports.get(f"web-{copy}", self.web.port),
            trust_port=self._ports.get(f"trust-{copy}", self.trust.port),
        )
        files = certificates.ensure(shared)
        static = self.folder / "copy-first" / "static"
        if copy != "first" and static.exists() and not (folder / "static").exists():
            shutil.copytree(static, folder / "static")
        return Parts(place, shared / "secrets", files, self.redis_url, self.engine.url)

    def _in_cluster(self, process: Process) -> Process:
        held = {name for names in environment.SECRETS.values() for name in names}
        env = dict(process.env or {})
        for name in held & env.keys():  # what the test run itself was given
            del env[name]
            env[f"{name}_FILE"] = str(self.folder / "shared" / "secrets" / name.lower())
        process.env = {
            **env,
            "DATABASE_URL": self.database_url,
            "TRUST_URL": self.trust_url,
            "DASHBOARD_URL": self.url,
            "LOG_FORMAT": "json",
        }
        if "granian" in process.argv:  # one process of each copy: there are several
            process.argv = [f"--workers={1}" if word.startswith("--workers=") else word for word in process.argv]
        return process

    def _run_to_end(self, process: Process) -> None:
        log = self.folder / "log" / f"{process.name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("w") as file:
            code = subprocess.run(process.argv, env=process.env, cwd=PROJECT, stdout=file, stderr=file, check=False)
        assert code.returncode == 0, log.read_text()
