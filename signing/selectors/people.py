"""People, for those who manage them, and the machine accounts of an account."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from signing.models import Membership, User
from signing.permissions import LEADS, may
from signing.roles import memberships_of


def visible_people(user: User) -> QuerySet[User]:
    """List everybody with their roles, for an administrator; for others nobody.

    A lead finds people by their exact user name only (`person_named`), so that no account learns who else is here.
    """
    if not may(user, "manage_people"):
        return User.objects.none()
    memberships = Membership.objects.select_related("account").order_by("account__name")
    return User.objects.prefetch_related(Prefetch("memberships", memberships)).order_by("username")


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
