"""Machine accounts: programs that read and ask. They have tokens and no password, and decide nothing."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from signing.models import Account, Membership, Repository, User
from signing.permissions import require
from signing.services import audit
from signing.services.people import check_full_name, check_username
from signing.trust.errors import InvalidInput


@transaction.atomic
def create_machine(
    *, actor: User, account: Account, username: str, full_name: str = "", repositories: Sequence[Repository] = ()
) -> User:
    """Make a machine account that may ask in these repositories, or in the whole account; it needs a token next.

    Raises:
        InvalidName: no user name.
        InvalidInput: a repository of another account.
    """
    require(actor, "create_machine", account)
    check_username(username)
    check_full_name(full_name)
    if any(repository.account_id != account.pk for repository in repositories):
        raise InvalidInput(f"Not all of these are repositories of {account}.")
    machine = User(username=username, first_name=full_name, is_machine=True)
    machine.set_unusable_password()
    machine.save()
    places: Sequence[Repository | None] = list(dict.fromkeys(repositories)) or [None]
    Membership.objects.bulk_create(
        Membership(account=account, repository=place, user=machine, role=Membership.Role.DEVELOPER) for place in places
    )
    audit.record(
        actor,
        "create_machine",
        account=account,
        subject=username,
        full_name=full_name,
        repositories=[repository.gun for repository in repositories],
    )
    return machine
