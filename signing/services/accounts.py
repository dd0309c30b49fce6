"""Accounts and their registry login. Their people: `signing.services.members`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from signing import sealing
from signing.errors import Conflict
from signing.models import Account, Membership, TrustServer, User
from signing.permissions import require
from signing.services import audit
from signing.trust.errors import InvalidInput, InvalidName
from signing.trust.notary.gun import DOCKER_HUB, Gun


@transaction.atomic
def create_account(
    *,
    actor: User,
    name: str,
    registry: str,
    trust_server: TrustServer,
    namespace: str = "",
    registry_username: str = "",
    registry_password: str = "",
    enforces_trust: bool = True,
) -> Account:
    """Open an account for one namespace of a registry; its maker becomes its first admin."""
    require(actor, "create_account")
    _check_name(name)
    _check_place(registry, namespace)
    if Account.objects.filter(name=name).exists():
        raise Conflict(f"There is an account named {name} already.", next_step="Choose another name.")
    account = Account.objects.create(
        name=name,
        registry=registry,
        namespace=namespace,
        trust_server=trust_server,
        registry_username=registry_username,
        enforces_trust=enforces_trust,
    )
    if registry_password:
        _keep_password(account, registry_password)
    Membership.objects.create(account=account, user=actor, role=Membership.Role.ADMIN)
    audit.record(actor, "create_account", account=account, subject=account, registry=registry, namespace=namespace)
    return account


@transaction.atomic
def change_account(
    *,
    actor: User,
    account: Account,
    trust_server: TrustServer | None = None,
    registry_username: str | None = None,
    registry_password: str | None = None,
    enforces_trust: bool | None = None,
) -> Account:
    """Change what is given and keep the rest; an empty password removes the stored one.

    Another trust server is an administrator's decision: it changes who is believed.
    """
    require(actor, "manage_account", account)
    before = _readable(account)
    changed = []
    if trust_server is not None and trust_server != account.trust_server:
        require(actor, "manage_trust_servers")
        account.trust_server = trust_server
        changed.append("trust_server")
    if registry_username is not None and registry_username != account.registry_username:
        account.registry_username = registry_username
        changed.append("registry_username")
    if enforces_trust is not None and enforces_trust != account.enforces_trust:
        account.enforces_trust = enforces_trust
        changed.append("enforces_trust")
    account.save(update_fields=changed)
    if registry_password is not None:
        _keep_password(account, registry_password)
        changed.append("registry_password")
    audit.record(
        actor,
        "change_account",
        account=account,
        subject=account,
        changed=changed,
        before=before,
        after=_readable(account),
    )
    return account


def _readable(account: Account) -> dict[str, str | bool]:
    """Put what may change into plain values; of a password only whether there is one."""
    return {
        "trust_server": account.trust_server.name,
        "registry_username": account.registry_username,
        "has_registry_password": bool(account.registry_password),
        "enforces_trust": account.enforces_trust,
    }


def _check_name(name: str) -> None:
    try:
        validate_slug(name)
    except ValidationError:
        raise InvalidName(
            f"{name!r} is no name for an account.",
            next_step="Use letters, digits, hyphens and underscores.",
        ) from None


def _check_place(registry: str, namespace: str) -> None:
    """Refuse a registry or namespace under which no repository could ever be named."""
    if registry == DOCKER_HUB and not namespace:
        raise InvalidInput(
            "An account on Docker Hub needs a namespace.", next_step="Give the Hub user or organisation."
        )
    if Gun.parse("/".join(part for part in (registry, namespace, "name") if part)).host != registry:
        raise InvalidName(
            f"{registry!r} is no registry's address as image names have it.",
            next_step="Write it as HOST or HOST:PORT, for example registry.example.com; docker.io is Docker Hub.",
        )


def _keep_password(account: Account, password: str) -> None:
    account.registry_password = (
        sealing.seal("docker", password.encode(), sealing.registry_context(account.pk)) if password else b""
    )
    account.save(update_fields=["registry_password"])
