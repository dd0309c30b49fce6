"""How far a person's roles reach: whole accounts, single repositories or everything, as conditions on rows.

Every list of what somebody may see is narrowed by one of these. A token that names repositories reaches these alone, as
if its user had a role in nothing else.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from signing.models import ChangeRequestItem, Membership, Repository, User
from signing.permissions import acting_token
from signing.roles import memberships_of, named_repositories

_NOTHING = Q(pk__in=())


class Reach:
    """What one person reaches by any role, or by the given ones only.

    Reading everything, which an installation's auditor may, is no role: it does not count where roles are given.
    """

    def __init__(self, user: User, roles: Collection[str] | None = None) -> None:
        self.user = user
        self._named = named_repositories(acting_token(user))
        self._sees_all = user.is_superuser or (roles is None and user.reads_everything)
        memberships = memberships_of(user) if user.is_active else Membership.objects.none()
        if roles is not None:
            memberships = memberships.filter(role__in=roles)
        self._whole = memberships.filter(repository=None).values("account")
        self._single = memberships.exclude(repository=None).values("repository")

    @property
    def is_everything(self) -> bool:
        """Tell whether nothing is left out."""
        return self._sees_all and not self._named

    def repositories(self) -> Q:
        """Reach repositories: of whole accounts, and single ones."""
        reached = Q() if self._sees_all else Q(account__in=self._whole) | Q(pk__in=self._single)
        return reached & Q(pk__in=self._named) if self._named else reached

    def accounts(self) -> Q:
        """Reach accounts in which there is anything to reach."""
        if self.is_everything:
            return Q()
        return self._whole_by("pk") | Q(pk__in=self._reached_singly().values("account"))

    def in_whole_accounts(self) -> Q:
        """Reach what belongs to an account (by its `account`) and concerns all of it."""
        return Q() if self.is_everything else self._whole_by("account")

    def in_accounts(self) -> Q:
        """Reach what belongs to an account of which the person reaches anything. For what is theirs in it."""
        if self.is_everything:
            return Q()
        return self.in_whole_accounts() | Q(account__in=self._reached_singly().values("account"))

    def operations(self) -> Q:
        """Reach operations of accounts and of repositories, and one's own."""
        if self.is_everything:
            return Q()
        reached = self.in_whole_accounts() | Q(repository__in=self._reached_singly())
        return reached if self._named else reached | (Q(requested_by=self.user) & self.in_accounts())

    def requests(self) -> Q:
        """Reach requests of accounts, and those all of whose repositories are reached singly."""
        if self.is_everything:
            return Q()
        items = ChangeRequestItem.objects.filter(request=OuterRef("pk"))
        single = self._reached_singly()
        within = Exists(items.filter(repository__in=single)) & ~Exists(items.exclude(repository__in=single))
        return self.in_whole_accounts() | Q(within)

    def signers(self) -> Q:
        """Reach the signers of accounts, one's own, and those that trust data of single repositories names."""
        if self.is_everything:
            return Q()
        reached = self.in_whole_accounts() | (Q(user=self.user) & self.in_accounts())
        for repository in self._reached_singly():
            names = [entry["name"] for entry in repository.signers]
            reached |= Q(account=repository.account_id, name__in=names)
        return reached

    def single_guns(self) -> list[str]:
        """List the names of the repositories that are reached one by one."""
        return [] if self.is_everything else list(self._reached_singly().values_list("gun", flat=True))

    def _whole_by(self, field: str) -> Q:
        return _NOTHING if self._named else Q(**{f"{field}__in": self._whole})

    def _reached_singly(self) -> QuerySet[Repository]:
        condition = self.repositories() if self._named else Q(pk__in=self._single)
        return Repository.objects.filter(condition)
