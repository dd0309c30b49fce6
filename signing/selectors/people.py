"""People, for those who manage them, and machine accounts, for those who answer for them."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from signing.models import Membership, User
from signing.permissions import may
from signing.roles import LEADS, memberships_of


def visible_people(user: User) -> QuerySet[User]:
    """List everybody with their roles, for administrators and auditors of the installation; for others nobody.

    Machine accounts are not among them (`visible_machines`). A lead finds people by their exact user name only
    (`person_named`), so that no account learns who else is here.
    """
    if not may(user, "read_people"):
        return User.objects.none()
    return _with_roles(User.objects.filter(is_machine=False))


def visible_machines(user: User) -> QuerySet[User]:
    """List the machine accounts with their roles: for who reads everything all, for others those they answer for."""
    machines = _with_roles(User.objects.filter(is_machine=True))
    return machines if may(user, "read_people") else machines.filter(pk__in=[row.pk for row in machines_run_by(user)])


def _with_roles(people: QuerySet[User]) -> QuerySet[User]:
    memberships = Membership.objects.select_related("account", "repository").order_by(
        "account__name", "repository__gun"
    )
    return people.prefetch_related(Prefetch("memberships", memberships)).order_by("username")


def people_like(people: QuerySet[User], search: str) -> QuerySet[User]:
    """Narrow a list to those whose user name, name or e-mail address holds the words."""
    return people.filter(
        Q(username__icontains=search)
        | Q(first_name__icontains=search)
        | Q(last_name__icontains=search)
        | Q(email__icontains=search)
    )


def person_named(username: str) -> User | None:
    """Find who can sign in under exactly this user name; a deactivated person is as unknown as nobody."""
    return User.objects.filter(username=username, is_active=True).first()


def leads_an_account(user: User) -> bool:
    """Tell whether this person may answer for machine accounts."""
    return user.is_superuser or memberships_of(user).filter(repository=None, role__in=LEADS).exists()


def machines_run_by(user: User) -> list[User]:
    """List the machine accounts this person answers for: all of whose roles are in accounts the person leads.

    For an administrator these are all of them.
    """
    machines = User.objects.filter(is_machine=True).order_by("username")
    if user.is_superuser:
        return list(machines)
    led = memberships_of(user).filter(repository=None, role__in=LEADS).values("account")
    elsewhere = Membership.objects.exclude(account__in=led).values("user")
    return list(machines.filter(memberships__account__in=led).exclude(pk__in=elsewhere).distinct())
