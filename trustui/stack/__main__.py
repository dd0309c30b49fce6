"""Become one part of the stack, which Compose names: `trustui web`. Its secrets lie in `/secrets`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path

from trustui.stack import health, neighbours, prepare
from trustui.stack.addresses import TOKEN_ISSUER, TOKEN_SERVICE, Addresses

SECRETS = Path("/secrets")
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
USER = 10001  # of the image
WORKER = ("manage.py", "rqworker", "--serializer=rq.serializers.JSONSerializer", "--verbosity=0")


def main() -> int:
    """Run the part that the command line names; return the exit code, unless this process became it."""
    name, *arguments = sys.argv[1:]
    addresses = Addresses.of(os.environ)
    _give_up_root()
    name_secrets(os.environ)
    return PARTS[name](addresses, *arguments)


def name_secrets(environ: MutableMapping[str, str], folder: Path = SECRETS) -> None:
    """Tell the settings where each secret of this container lies."""
    for file in folder.iterdir() if folder.exists() else ():
        if "." not in file.name:  # those with an ending are for programs to open
            environ.setdefault(f"{file.name.upper()}_FILE", str(file))


def web(addresses: Addresses) -> int:
    """Serve the pages: with TLS, unless they are for this machine alone."""
    secured = SECRETS / "server.pem"
    tls: tuple[str, ...] = ()
    if not addresses.is_local:
        tls = (
            f"--ssl-certificate={secured}",
            f"--ssl-keyfile={SECRETS / 'server-key.pem'}",
            "--ssl-protocol-min=tls1.2",
        )
        os.environ |= {"HTTPS_ONLY": "true", "PROXIES": os.environ.get("PROXIES", "0")}
    _settle(addresses, "web")
    return _become(
        *("-m", "granian", "--interface=wsgi", "--host=0.0.0.0", "--port=8000", "--no-ws", "--log-level=warning"),
        *(f"--workers={os.environ.get('WEB_WORKERS') or os.cpu_count() or 1}", "--blocking-threads=1", *tls),
        *("--respawn-failed-workers", "trustui.wsgi:application"),
    )


def trust_server(addresses: Addresses) -> int:
    """Serve Notary's API to whoever brings a token of the dashboard or of the signing worker."""
    _settle(addresses, "notary")
    return _become(
        *("manage.py", "trustserver", "--bind=0.0.0.0:4443", "--auth=token", f"--auth-realm={addresses.realm}"),
        *(f"--auth-service={TOKEN_SERVICE}", f"--auth-issuer={TOKEN_ISSUER}"),
        f"--auth-bundle={SECRETS / 'token_certificates'}",
        *(f"--tls-cert={SECRETS / 'server.pem'}", f"--tls-key={SECRETS / 'server-key.pem'}"),
    )


def worker(addresses: Addresses, queue: str) -> int:
    """Work one queue, with the stack's servers at the addresses that people use."""
    _settle(addresses, f"{queue}_worker")
    routes = {} if queue == "notices" else addresses.routes()
    return neighbours.run(routes, [sys.executable, *WORKER, queue])


def scheduler(addresses: Addresses) -> int:
    """Say what is due."""
    _settle(addresses, "scheduler")
    return _become("manage.py", "run_schedule")


def manage(addresses: Addresses, *arguments: str) -> int:
    """Run one of Django's commands with the settings that DJANGO_SETTINGS_MODULE names."""
    _settle(addresses, "web")
    return _become("manage.py", *arguments)


def first_start(addresses: Addresses, *what: str) -> int:
    """Bring the dashboard's database up to date and give it what nobody can click."""
    _settle(addresses, "web")
    return _become("-m", "trustui.stack.first_start", *what)


def administrator(addresses: Addresses) -> int:
    """Print the first administrator's one-time password."""
    _settle(addresses, "web")
    return _become("-m", "trustui.stack.administrator")


PARTS: dict[str, Callable[..., int]] = {
    "prepare": lambda _addresses: prepare.main(),
    "first-start": first_start,
    "administrator": administrator,
    "web": web,
    "trust-server": trust_server,
    "worker": worker,
    "scheduler": scheduler,
    "manage": manage,
    "health": lambda addresses, part: health.main(addresses, part),
}


def _settle(addresses: Addresses, settings: str) -> None:
    """Complete the environment of a part that nobody told otherwise."""
    given = {
        "DJANGO_SETTINGS_MODULE": f"trustui.settings.{settings}",
        "DASHBOARD_URL": addresses.web,
        "ALLOWED_HOSTS": f"{addresses.host},127.0.0.1,localhost",
        "TOKEN_SERVICE": TOKEN_SERVICE,
        "TOKEN_ISSUER": TOKEN_ISSUER,
        "WORKER_TOKEN_SERVERS": f"{addresses.trust_server},{addresses.notary_server}",
    }
    for name, value in given.items():
        if not os.environ.get(name):
            os.environ[name] = value
    if not addresses.is_local and settings.endswith("_worker"):
        os.environ["SSL_CERT_FILE"] = str(_authorities())


def _authorities() -> Path:
    """Write down whom a worker believes: the system's authorities, and the stack's own for the registry."""
    joined = Path("/tmp/authorities.pem")  # noqa: S108  the container's own, in memory
    joined.write_text(SYSTEM_CERTIFICATES.read_text() + (SECRETS / "ca.pem").read_text())
    return joined


def _give_up_root() -> None:
    """Become the image's user, in the group that may use the Docker socket, whatever its number is on this machine."""
    if os.geteuid() != 0:
        return
    socket = Path(os.environ.get("DOCKER_HOST", "").removeprefix("unix://") or "/var/run/docker.sock")
    os.setgroups([socket.stat().st_gid] if socket.exists() else [])
    os.setgid(USER)
    os.setuid(USER)


def _become(*arguments: str) -> int:
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    sys.exit(main())
