"""Make the objects that jobs work with from rows and settings. Tests replace these functions."""

from __future__ import annotations

from django.conf import settings

from signing import sealing
from signing.adapters.engine import Engine
from signing.adapters.own_tokens import OwnTokens
from signing.adapters.registry import Registry
from signing.adapters.trust_cache import StoredTrustCache
from signing.adapters.unsealing import unseal
from signing.models import Account, Repository, TrustServer
from signing.trust.keystore.base import KeyStore
from signing.trust.notary.gun import Gun
from signing.trust.notary.publishing import Guard, let_pass
from signing.trust.notary.repository import Repository as TrustRepository
from signing.trust.notary.transport import HttpsTransport, Transport


def transport_for(server: TrustServer) -> HttpsTransport:
    """Connect to a trust server; use it as a context manager."""
    password = unseal(server.password, sealing.trust_server_context(server.pk)).decode() if server.password else None
    return HttpsTransport(
        server.url,
        ca_pem=server.ca_pem or None,
        username=server.username or None,
        password=password,
        token_source=_own_tokens(server),
    )


def trust_repository(
    repository: Repository, transport: Transport, keystore: KeyStore, guard: Guard = let_pass
) -> TrustRepository:
    """Open one repository for writing, on what was trusted of it before; `guard` sees what is about to be signed."""
    return TrustRepository(Gun.parse(repository.gun), transport, StoredTrustCache(repository), keystore, guard=guard)


def engine() -> Engine:
    """Give the Docker Engine this worker is for."""
    return Engine(settings.DOCKER_HOST or None)


def registry_for(account: Account) -> Registry:
    """Connect to an account's registry; use it as a context manager."""
    return Registry(account.registry, account.registry_username or None, _registry_password(account))


def login_for(account: Account | None) -> dict[str, str] | None:
    """Give an account's registry login in the Engine's words."""
    if account is None or not account.registry_username:
        return None
    return {"username": account.registry_username, "password": _registry_password(account) or ""}


def _own_tokens(server: TrustServer) -> OwnTokens | None:
    """Give this worker's own way in, for the servers it was told to use it with: none else may see such a token."""
    if server.username or server.url not in settings.WORKER_TOKEN_SERVERS:
        return None
    return OwnTokens(settings.WORKER_TOKEN_KEY, settings.WORKER_TOKEN_CERTIFICATE, settings.TOKEN_ISSUER)


def _registry_password(account: Account) -> str | None:
    if not account.registry_password:
        return None
    return unseal(account.registry_password, sealing.registry_context(account.pk)).decode()
