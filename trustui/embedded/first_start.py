"""Bring the database up to date, and give a new one what nobody can click: a person and a trust server.

Runs as a program of its own with the web process's settings: `python -m trustui.embedded.first_start`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import allauth
import django
from django.conf import settings
from django.core.management import call_command

from signing.one_time_passwords import one_time_password

if TYPE_CHECKING:  # importable once Django is set up
    from signing.models import User

ADMINISTRATOR = "admin"
BUILTIN_NAME = "built-in"


def main() -> None:
    """Migrate, collect what browsers fetch, and see that an administrator and the trust server's row exist."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    collect_static_files()
    administrator, password = ensure_administrator()
    if password:
        show_password(administrator.username, password, "the first administrator")
    ensure_builtin_server(administrator, os.environ["TRUST_URL"], Path(os.environ["TRUST_CA_FILE"]).read_text())


def collect_static_files() -> None:
    """Collect and compress the files browsers fetch, unless they are those of the last start."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    current = _fingerprint([Path(folder) for folder in settings.STATICFILES_DIRS])
    if stamp.exists() and stamp.read_text() == current:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(current)


def ensure_administrator() -> tuple[User, str]:
    """Return an administrator, and the one-time password when they were made just now."""
    from signing.models import User

    if existing := User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first():
        return existing, ""
    password = one_time_password()
    made = User.objects.create_superuser(ADMINISTRATOR, password=password, must_change_password=True)
    return made, password


def ensure_builtin_server(administrator: User, url: str, ca_pem: str) -> None:
    """Name the built-in trust server, or correct its address and authority where they changed."""
    from signing.models import TrustServer
    from signing.services import trust_servers

    ca_pem = ca_pem.strip() + "\n"
    builtin = TrustServer.objects.filter(is_builtin=True).first()
    if builtin is None:
        trust_servers.create_trust_server(
            actor=administrator, name=BUILTIN_NAME, url=url, ca_pem=ca_pem, is_builtin=True
        )
    elif (builtin.url, builtin.ca_pem) != (url, ca_pem):
        trust_servers.change_trust_server(actor=administrator, trust_server=builtin, url=url, ca_pem=ca_pem)


def show_password(username: str, password: str, who: str) -> None:
    """Print a one-time password, the only time it can be seen."""
    show_secret(username, password, f"{who}; to be changed at the first sign-in")


def show_secret(name: str, secret: str, remark: str) -> None:
    """Print a secret on a line of its own, to be copied by hand."""
    print(f"  {name:<10} {secret}   ({remark})", flush=True)  # noqa: T201  a terminal, and no log


def _fingerprint(folders: list[Path]) -> str:
    found = hashlib.sha256(f"{django.get_version()} {allauth.__version__}".encode())  # they bring files of their own
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                found.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


if __name__ == "__main__":
    main()
