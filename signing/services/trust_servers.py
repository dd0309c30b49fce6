"""Trust servers: their addresses, their certificate authorities and our login there."""

from __future__ import annotations

from urllib.parse import urlsplit

from cryptography import x509
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from signing import sealing
from signing.errors import Conflict
from signing.models import TrustServer, User
from signing.permissions import require
from signing.services import audit
from signing.trust.errors import InvalidInput, InvalidName


@transaction.atomic
def create_trust_server(
    *,
    actor: User,
    name: str,
    url: str,
    ca_pem: str = "",
    username: str = "",
    password: str = "",
    is_builtin: bool = False,
) -> TrustServer:
    """Name a Notary v1 server that accounts may use."""
    require(actor, "manage_trust_servers")
    try:
        validate_slug(name)
    except ValidationError:
        raise InvalidName(f"{name!r} is no name for a trust server; use letters, digits and hyphens.") from None
    if TrustServer.objects.filter(name=name).exists():
        raise Conflict(f"There is a trust server named {name} already.", next_step="Choose another name.")
    server = TrustServer.objects.create(
        name=name,
        url=_checked_url(url),
        ca_pem=_checked_certificates(ca_pem),
        username=username,
        is_builtin=is_builtin,
    )
    if password:
        _keep_password(server, password)
    audit.record(actor, "create_trust_server", account=None, subject=server, url=server.url)
    return server


@transaction.atomic
def change_trust_server(
    *,
    actor: User,
    trust_server: TrustServer,
    url: str | None = None,
    ca_pem: str | None = None,
    username: str | None = None,
    password: str | None = None,
) -> TrustServer:
    """Change what is given and keep the rest; an empty password removes the stored one."""
    require(actor, "manage_trust_servers")
    changed = []
    if url is not None:
        trust_server.url = _checked_url(url)
        changed.append("url")
    if ca_pem is not None:
        trust_server.ca_pem = _checked_certificates(ca_pem)
        changed.append("ca_pem")
    if username is not None:
        trust_server.username = username
        changed.append("username")
    trust_server.save(update_fields=changed)
    if password is not None:
        _keep_password(trust_server, password)
        changed.append("password")
    audit.record(actor, "change_trust_server", account=None, subject=trust_server, changed=changed)
    return trust_server


def _checked_url(url: str) -> str:
    """Take `https://host[:port]` only: docker and notary speak to nothing else either."""
    parts = urlsplit(url.strip())
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        raise InvalidInput(
            f"{url!r} is not the address of a trust server.", next_step="Write it as https://host or https://host:port."
        )
    return f"https://{parts.netloc}"


def _checked_certificates(pem: str) -> str:
    pem = pem.strip()
    if not pem:
        return ""
    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise InvalidInput(
            "The CA file holds no readable certificate.",
            next_step="Paste the PEM text that begins with BEGIN CERTIFICATE.",
        ) from None
    return pem + "\n"


def _keep_password(server: TrustServer, password: str) -> None:
    context = sealing.trust_server_context(server.pk)
    server.password = sealing.seal("signing", password.encode(), context) if password else b""
    server.save(update_fields=["password"])
