"""Who has which role in an account, or in one repository of it, and until when.

A lead gives and takes the roles below their own. Leads and admins are made and removed by admins, so that nobody
brings in their own second vote.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from signing.models import Account, Membership, Repository, User
from signing.permissions import require
from signing.roles import LEADS
from signing.services import audit
from signing.trust.errors import InvalidInput, NotFound

MACHINE_ROLES = (Membership.Role.DEVELOPER, Membership.Role.AUDITOR)


@transaction.atomic
def set_member(
    *,
    actor: User,
    account: Account,
    user: User,
    role: str,
    repository: Repository | None = None,
    ends_at: datetime | None = None,
) -> Membership:
    """Give a person a role in an account, or in one repository beyond that, in place of the one they had there.

    Raises:
        InvalidInput: no such role, not one for a machine account, or an end that has passed.
    """
    place = _place(account, repository)
    require(actor, "manage_members", place)
    _check_role(user, role)
    if ends_at is not None and ends_at <= timezone.now():
        raise InvalidInput("That end has passed already.", next_step="Give a later day, or none.")
    had = _membership(account, repository, user)
    if role in LEADS or (had and had.role in LEADS):
        require(actor, "manage_leads", place)
    if user.is_machine:
        require(actor, "manage_tokens", user)  # a role more would be a role more for every token it has
    membership, _ = Membership.objects.update_or_create(
        account=account, repository=repository, user=user, defaults={"role": role, "ends_at": ends_at}
    )
    audit.record(
        actor,
        "set_member",
        account=account,
        subject=user,
        place=str(place),
        before=_facts(had),
        after=_facts(membership),
    )
    return membership


@transaction.atomic
def remove_member(*, actor: User, account: Account, user: User, repository: Repository | None = None) -> None:
    """End a person's part in an account or a repository; a lead's too, if it is one's own. What they signed stays.

    Raises:
        NotFound: they have no role there.
    """
    place = _place(account, repository)
    require(actor, "manage_members", place)
    had = _membership(account, repository, user)
    if had is None:
        raise NotFound(f"{user.username} has no role here.", next_step="Reload the page to see who has one.")
    if had.role in LEADS and user != actor:
        require(actor, "manage_leads", place)
    had.delete()
    audit.record(
        actor, "remove_member", account=account, subject=user, place=str(place), before=_facts(had), after=None
    )


def _place(account: Account, repository: Repository | None) -> Account | Repository:
    if repository is not None and repository.account_id != account.pk:
        raise InvalidInput(f"That is no repository of {account}.")
    return repository or account


def _membership(account: Account, repository: Repository | None, user: User) -> Membership | None:
    rows = Membership.objects.select_for_update(of=("self",))
    return rows.filter(account=account, repository=repository, user=user).first()


def _check_role(user: User, role: str) -> None:
    known: list[str] = [*MACHINE_ROLES] if user.is_machine else Membership.Role.values
    if role not in known:
        raise InvalidInput(
            f"{role[:40]!r} is no role for a machine account." if user.is_machine else f"{role[:40]!r} is not a role.",
            next_step=f"Choose one of {', '.join(known)}.",
        )


def _facts(membership: Membership | None) -> dict[str, str] | None:
    if membership is None:
        return None
    return {"role": membership.role, "ends": membership.ends_at.isoformat() if membership.ends_at else ""}
