"""Bring the dashboard's database up to date, and name the stack's trust servers in it.

Runs with the web process's settings: `python -m trustui.stack.first_start`, and with `notary` for the original server.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command

from trustui.embedded import first_start
from trustui.stack.addresses import Addresses

NOTARY_NAME = "notary"


def main() -> None:
    """Migrate and see that an administrator and the rows of the trust servers exist."""
    django.setup()
    addresses = Addresses.of(os.environ)
    ca_pem = Path("/secrets/ca.pem").read_text()
    if sys.argv[1:] == ["notary"]:
        ensure_notary_server(addresses.notary_server, ca_pem)
        return
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    administrator, _ = first_start.ensure_administrator()  # `administrator` gives a password, when somebody is there
    first_start.ensure_builtin_server(administrator, addresses.trust_server, ca_pem)


def ensure_notary_server(url: str, ca_pem: str) -> None:
    """Name the stack's notary-server, or correct its address and authority where they changed."""
    from signing.models import TrustServer, User
    from signing.services import trust_servers

    administrator = User.objects.filter(is_superuser=True, is_active=True).earliest("pk")
    ca_pem = ca_pem.strip() + "\n"
    known = TrustServer.objects.filter(name=NOTARY_NAME).first()
    if known is None:
        trust_servers.create_trust_server(actor=administrator, name=NOTARY_NAME, url=url, ca_pem=ca_pem)
    elif (known.url, known.ca_pem) != (url, ca_pem):
        trust_servers.change_trust_server(actor=administrator, trust_server=known, url=url, ca_pem=ca_pem)


if __name__ == "__main__":
    main()
