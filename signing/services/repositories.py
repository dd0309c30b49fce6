"""Repositories of an account, and checking one of them now."""

from __future__ import annotations

from django.db import transaction

from signing.errors import Conflict
from signing.models import Account, Operation, Repository, User
from signing.permissions import require
from signing.services import audit
from signing.services.work import start_operation
from signing.trust.errors import InvalidName
from signing.trust.notary.gun import Gun


@transaction.atomic
def create_repository(*, actor: User, account: Account, path: str, description: str = "") -> Repository:
    """Watch one repository of the account; its trust server is asked about it at once, which is part of this act."""
    require(actor, "create_repository", account)
    if not path.strip():
        raise InvalidName("A repository needs a name.", next_step="Write its path below the account's namespace.")
    gun = str(Gun.parse("/".join(part for part in (account.registry, account.namespace, path.strip()) if part)))
    if Repository.objects.filter(gun=gun).exists():
        raise Conflict(f"{gun} is here already.", next_step="Open it, or choose another path.")
    repository = Repository.objects.create(account=account, gun=gun, description=description)
    check = start_operation(Operation.Kind.REFRESH, actor=actor, account=account, repository=repository)
    audit.record(actor, "create_repository", account=account, subject=gun, operation=check.pk)
    return repository


@transaction.atomic
def check_now(*, actor: User, repository: Repository) -> Operation:
    """Ask the trust server now. A check that waits already is returned as it is."""
    require(actor, "check_repository", repository)
    waiting = Operation.objects.filter(
        kind=Operation.Kind.REFRESH, repository=repository, state=Operation.State.QUEUED
    ).first()
    operation = waiting or start_operation(
        Operation.Kind.REFRESH, actor=actor, account=repository.account, repository=repository
    )
    audit.record(actor, "check_repository", account=repository.account, subject=repository, operation=operation.pk)
    return operation
