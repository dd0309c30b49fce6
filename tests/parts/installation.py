"""A database, secrets and processes of the product that a test starts one by one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.parts.waiting import wait_until
from trustui.embedded import secrets
from trustui.embedded.processes import Process

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 30


@dataclass
class Installation:
    """A database, secrets and the processes that a test starts; each process gets only its own secrets."""

    folder: Path
    redis_url: str
    more: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    def env(self, part: str) -> dict[str, str]:
        held = {
            "web": ("SECRET_KEY", "SEALING_PUBLIC_KEYS"),
            "signing_worker": ("SEALING_PUBLIC_KEYS", "SIGNING_WORKER_KEY", "MASTER_KEY", "AUDIT_KEY"),
            "docker_worker": ("SEALING_PUBLIC_KEYS", "DOCKER_WORKER_KEY"),
            "notices_worker": ("SEALING_PUBLIC_KEYS", "NOTICES_WORKER_KEY"),
        }.get(part, ())
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": f"trustui.settings.{part}",
            "TRUSTUI_VAR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder}/db.sqlite3",
            "REDIS_URL": self.redis_url,
            "DOCKER_HOST": f"unix://{self.folder}/no-engine.sock",
            **self.more,
        } | {f"{name}_FILE": str(self.folder / "secrets" / name.lower()) for name in held}

    def manage(self, part: str, *arguments: str) -> str:
        argv = [sys.executable, "-m", "django", *arguments]
        done = subprocess.run(argv, env=self.env(part), cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, part: str, *arguments: str) -> Process:
        argv = [sys.executable, "-m", "django", *arguments]
        log = self.folder / f"{name}.log"
        process = Process(name, argv, env=self.env(part), log=log, cwd=PROJECT).start()
        self.processes.append(process)
        return process

    def shell(self, program: str) -> str:
        """Run a program with the web process's settings; gives the last line it printed."""
        return self.manage("web", "shell", "--verbosity=0", "-c", program).strip().splitlines()[-1]

    def row(self, operation: int) -> dict[str, Any]:
        with sqlite3.connect(self.folder / "db.sqlite3", timeout=20) as database:
            database.row_factory = sqlite3.Row
            found = dict(database.execute("select * from signing_operation where id = ?", (operation,)).fetchone())
        database.close()
        return found

    def engine_rows(self) -> int:
        database = sqlite3.connect(self.folder / "db.sqlite3", timeout=20)
        (number,) = database.execute("select count(*) from signing_enginestatus").fetchone()
        database.close()
        return int(number)

    def wait_done(self, operation: int) -> dict[str, Any]:
        wait_until(lambda: self.row(operation)["state"] in ("done", "failed"), PATIENCE, f"operation {operation}")
        return self.row(operation)

    def stop(self) -> None:
        while self.processes:
            self.processes.pop().stop()


def installed(folder: Path, redis_url: str, **more: str) -> Installation:
    """Make secrets and an empty database; `more` is set in every process's environment."""
    secrets.ensure(folder)
    made = Installation(folder, redis_url, more)
    made.manage("web", "migrate", "--verbosity=0")
    return made
