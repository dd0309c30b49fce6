"""A private Redis and a private PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.parts.ports import free_port
from tests.parts.programs import require_postgres, require_program
from trustui.embedded.processes import Process

START_SECONDS = 20


class RedisServer:
    """redis-server on a unix socket; it keeps nothing over its end."""

    def __init__(self, folder: Path) -> None:
        program = require_program("redis-server")
        folder.mkdir(parents=True, exist_ok=True)
        socket_file = folder / "redis.sock"
        self.url = f"unix://{socket_file}"
        argv = [program, "--port", "0", "--unixsocket", str(socket_file), "--dir", str(folder), "--save", ""]
        self._process = Process("redis-server", argv, env={"PATH": os.environ["PATH"]}, log=folder / "redis.log")

    def resume(self) -> None:
        self._process.start()
        self._process.wait_ready(lambda: _answers_ping(self.url), START_SECONDS)

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._process.stop()


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run redis-server on a unix socket and give its URL."""
    server = RedisServer(folder)
    try:
        server.resume()
        yield server.url
    finally:
        server.stop()


def _answers_ping(url: str) -> bool:
    client = redis.Redis.from_url(url)
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


class Postgres:
    """A private PostgreSQL cluster on a loopback port, run as the user its programs insist on."""

    def __init__(self, folder: Path) -> None:
        self._programs = require_postgres()
        self._folder = folder
        self._port = free_port()
        self._process: Process | None = None
        # They refuse root; Debian's package brings a user for them.
        self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if _is_root() else []

    def start(self) -> Postgres:
        self._folder.mkdir(parents=True, exist_ok=True)
        if _is_root():
            _open_way_to(self._folder)
            shutil.chown(self._folder, "postgres", "postgres")
        data = self._folder / "data"
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [
                *self._as_user,
                self._programs / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            env=env,
        )
        return self.resume()

    def resume(self) -> Postgres:
        """Start it on the data that is there already."""
        if _is_root():
            _open_way_to(self._folder)  # again, as each new run of pytest closes it
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        options = ["-p", str(self._port), "-k", str(self._folder), "-c", "fsync=off", "-h", "127.0.0.1"]
        argv = [*self._as_user, str(self._programs / "postgres"), "-D", str(self._folder / "data"), *options]
        self._process = Process("postgres", argv, env=env, log=self._folder.parent / "postgres.log").start()
        self._process.wait_ready(self._answers, START_SECONDS)
        return self

    def kill(self) -> None:
        """End it without letting it write anything more."""
        if self._process:
            self._process.kill()

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def url(self, database: str = "postgres") -> str:
        """Give the URL of a database, for Django and for notary alike."""
        return f"postgres://postgres@127.0.0.1:{self._port}/{database}?sslmode=disable"

    def create_database(self, name: str, schema: str = "") -> str:
        """Make a database with these tables and give its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        if schema:
            with psycopg.connect(self.url(name)) as connection:
                connection.execute(schema.encode())
        return self.url(name)

    @contextlib.contextmanager
    def on_small_disk(self, name: str, megabytes: int) -> Iterator[tuple[str, Path]]:
        """Make a database on a disk of its own that is soon full, and give its URL and the disk; for root only."""
        disk = self._folder.with_name(f"disk-of-{name}")
        disk.mkdir()
        owner = pwd.getpwnam("postgres").pw_uid if _is_root() else os.geteuid()
        options = f"size={megabytes}m,uid={owner},mode=0700"
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True).returncode:
            pytest.skip("a small disk can be mounted by root only")
        try:
            (disk / "data").mkdir(mode=0o700)
            os.chown(disk / "data", owner, -1)
            with psycopg.connect(self.url(), autocommit=True) as connection:
                connection.execute(f"CREATE TABLESPACE \"{name}\" LOCATION '{disk / 'data'}'".encode())
                connection.execute(f'CREATE DATABASE "{name}" TABLESPACE "{name}"'.encode())
            yield self.url(name), disk
            with psycopg.connect(self.url(), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
                connection.execute(f'DROP TABLESPACE "{name}"'.encode())
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _is_root() -> bool:
    return os.geteuid() == 0 and "postgres" in {user.pw_name for user in pwd.getpwall()}


def _open_way_to(folder: Path) -> None:
    """Let another user walk through pytest's temporary folders, which are closed to all but their owner."""
    for parent in folder.parents:
        if parent.owner() == pwd.getpwuid(os.geteuid()).pw_name and parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
