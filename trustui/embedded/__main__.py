"""`make run`: everything one machine needs, in one foreground process tree that Ctrl+C ends."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from trustui.embedded import broker, certificates, debian, engine, place, registry, secrets
from trustui.embedded.parts import Parts
from trustui.embedded.place import CannotStart, Place
from trustui.embedded.processes import NotReady, end_with_parent
from trustui.embedded.supervisor import GaveUp, Supervisor

READY_SECONDS = 60
LONG_LOG_BYTES = 5_000_000
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked to end: not an error, and nothing may swallow it."""


def main() -> int:
    """Start everything, keep it alive and end it when asked; return the exit code."""
    if "MAKELEVEL" in os.environ:
        end_with_parent()  # when make is killed, nothing stays behind
    for number in ENDINGS:
        signal.signal(number, _stop)
    supervisor = Supervisor(say)
    try:
        with place.opened(os.environ) as here:
            try:
                start(here, supervisor)
                supervisor.watch()
            finally:
                for number in ENDINGS:
                    signal.signal(number, signal.SIG_IGN)  # a second Ctrl+C must not leave half of it running
                supervisor.stop()
    except Stopped:
        say("Everything is stopped. Your data is kept; `make run` starts it again.")
        return 0
    except (CannotStart, NotReady, GaveUp) as problem:
        say(str(problem))
        return 1
    return 0


def start(here: Place, supervisor: Supervisor) -> None:
    """Start the parts in the order they need each other, telling what is on and what is off."""
    say(f"Starting in {here.var}; what the parts write goes to {here.log}.")
    _put_long_logs_aside(here)
    files = certificates.ensure(here.var)
    folder = secrets.ensure(here.var)
    redis_url = _broker(here, supervisor)
    docker_host, registry_host = _engine_and_registry(here, supervisor)
    parts = Parts(here, folder, files, redis_url, docker_host)
    for program in parts.preparations():
        if code := supervisor.run(program):
            raise NotReady(f"{program.name} ended with code {code}.\n{program.tail()}")
    trust_server, web = supervisor.keep(parts.trust_server()), supervisor.keep(parts.web())
    for worker in (*parts.workers(), *parts.people_sync()):
        supervisor.keep(worker)
    trust_server.wait_ready(parts.is_trust_server_ready, READY_SECONDS)
    web.wait_ready(parts.is_web_ready, READY_SECONDS)
    say(f"Trust server: {here.trust_url} (its CA: {files.ca})")
    _seed(parts, supervisor, registry_host)
    say(f"\nOpen {here.web_url} in a browser. Ctrl+C ends everything.")


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201  this is a program for a terminal


def _put_long_logs_aside(here: Place) -> None:
    for log in here.log.glob("*.log"):
        if log.stat().st_size > LONG_LOG_BYTES:
            log.replace(log.with_suffix(".log.old"))


def _broker(here: Place, supervisor: Supervisor) -> str:
    if given := os.environ.get("REDIS_URL"):
        say("Queues: the Redis that REDIS_URL names.")
        return given
    started = broker.start(here)
    if started is None:
        say(
            "WARNING: no Redis or Valkey server was found, so the workers look into the database for work.\n"
            "  That is slower and meant for trying it out; install redis-server for more."
        )
        return ""
    process, address = started
    supervisor.keep(process, serves_parts=True)
    say("Queues: a private Redis.")
    return address


def _engine_and_registry(here: Place, supervisor: Supervisor) -> tuple[str, str]:
    """Return the Engine's address and the private registry's, each "" where there is none."""
    found = engine.find(os.environ)
    programs = ["docker-registry"] if found else ["dockerd", "docker-registry"]
    packages = ["docker-registry"] if found else ["docker.io", "docker-registry"]
    wants_registry = found is None or found.is_local
    if wants_registry and not debian.provided(programs) and debian.may_install(os.environ):
        say(f"Installing {' and '.join(packages)} from Debian (NO_APT=1 skips this) ...")
        if not debian.install(packages, here.log / "apt.log"):
            say(f"That did not work; see {here.log / 'apt.log'}.")
    registry_host = _registry(here, supervisor) if wants_registry else ""
    found = found or engine.start(here, registry_host)
    if found.process:
        supervisor.keep(found.process, serves_parts=True)
    say(found.sentence)
    return found.address, registry_host


def _registry(here: Place, supervisor: Supervisor) -> str:
    host = registry.address(here, os.environ)
    process = registry.start(here, host)
    if process is None:
        say("Private registry: off; docker-registry is not installed. Accounts may use any other registry.")
        return ""
    supervisor.keep(process, serves_parts=True)
    say(f"Private registry: {host}")
    return host


def _seed(parts: Parts, supervisor: Supervisor, registry_host: str) -> None:
    """Seed the demo account until it is complete; a seed that fails costs nothing but the demo."""
    marker = parts.place.var / "demo"  # how far the seed came
    reached = marker.read_text() if marker.exists() else ""
    host = registry_host or registry.address(parts.place, os.environ)
    source = f"{host}/upstream/hello:latest" if parts.docker_host and registry_host else ""
    if reached == "published" or (reached == "signers" and not source):
        return
    say("\nA demo account, made by doing the walk-through once:")
    if source and supervisor.run(parts.demo_image(source)):
        say("  The demo's image could not be made; see var/log/demo-image.log.")
        source = ""
    if supervisor.run(parts.seed(host, source)):
        return
    if source:
        say(f"\nWhat `trustctl inspect --pretty {host}/demo/hello:1.0` shows:")
        if supervisor.run(parts.inspect(f"{host}/demo/hello:1.0")):
            return
    else:
        say("  No image was published: that takes a Docker Engine and a registry. The next start with both does it.")
    secrets.replace(marker, "published" if source else "signers")


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
