"""What a person can do about something that runs out, and where."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from signing.expiry import Ending, Kind
from signing.models import Account, ApiToken, ChangeRequest, Key, Membership, Repository, TrustServer, User
from signing.permissions import KEY_HOLDERS, WORKERS, may
from signing.roles import LEADS, memberships_of
from signing.selectors.reach import Reach


@dataclass(frozen=True, slots=True)
class Action:
    """A link that leads to the remedy."""

    says: str
    url: str


class Actions:
    """The remedies of one person; their roles are looked up once, however many rows there are."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._led = self._repositories(LEADS)
        self._worked = self._repositories(WORKERS)
        self._holds_keys_in = self._accounts_of(KEY_HOLDERS)
        self._accounts = self._whole_accounts(LEADS)
        self._runs_servers = may(user, "manage_trust_servers")

    def of(self, ending: Ending) -> Action | None:
        """Find the remedy; None where this person has none, or where nobody needs to do anything."""
        row, repository = ending.row, ending.repository
        if ending.kind in (Kind.ROOT, Kind.TARGETS, Kind.DELEGATION) and repository:
            return self._of_metadata(ending.kind, repository)
        if isinstance(row, Key):
            return self._of_certificate(row)
        if isinstance(row, ApiToken):
            return self._of_token(row)
        if isinstance(row, Membership):
            return self._of_membership(row)
        if isinstance(row, ChangeRequest):
            return self._of_signer(row, repository)
        if isinstance(row, TrustServer) and self._runs_servers:
            return Action(gettext("Give it the next authority"), reverse("trust_server", args=[row.name]))
        return None

    def _of_metadata(self, kind: str, repository: Repository) -> Action | None:
        if kind == Kind.DELEGATION:
            is_theirs = repository.pk in self._worked
            return Action(gettext("Sign a tag"), reverse("sign", args=[repository.gun])) if is_theirs else None
        if repository.pk not in self._led:
            return None
        query = urlencode({"account": repository.account.name, "repository": repository.gun, "role": kind})
        return Action(gettext("Ask for a rotation"), f"{reverse('request_rotation')}?{query}")

    def _of_certificate(self, key: Key) -> Action | None:
        is_own = key.owner_id == self.user.pk and key.account_id in self._holds_keys_in
        if is_own or key.account_id in self._accounts:
            return Action(gettext("Attach a new certificate"), reverse("key", args=[key.key_id]))
        return None

    def _of_token(self, token: ApiToken) -> Action | None:
        if token.user_id == self.user.pk:
            return Action(gettext("Make a new token"), reverse("token_new"))
        if token.user.is_machine and not self.user.is_machine:  # only who runs it sees it here
            return Action(gettext("Make a new token"), reverse("machine_token_new", args=[token.user_id]))
        return None

    def _of_membership(self, membership: Membership) -> Action | None:
        if membership.account_id not in self._accounts:
            return None
        if membership.repository:
            return Action(gettext("Change the role"), reverse("repository_members", args=[membership.repository.gun]))
        return Action(gettext("Change the role"), reverse("accounts_members", args=[membership.account.name]))

    def _of_signer(self, asked: ChangeRequest, repository: Repository | None) -> Action | None:
        reaches = repository.pk in self._worked if repository else asked.account_id in self._accounts
        if not reaches or asked.signer is None:
            return None
        query = {"account": asked.account.name, "signer": str(asked.signer.pk)}
        return Action(gettext("Ask for more time"), f"{reverse('request_new')}?{urlencode(query)}")

    def _repositories(self, roles: frozenset[str]) -> frozenset[int]:
        reached = Repository.objects.filter(Reach(self.user, roles).repositories())
        return frozenset(reached.values_list("pk", flat=True))

    def _accounts_of(self, roles: frozenset[str]) -> frozenset[int]:
        reached = Account.objects.filter(Reach(self.user, roles).accounts())
        return frozenset(reached.values_list("pk", flat=True))

    def _whole_accounts(self, roles: frozenset[str]) -> frozenset[int]:
        if self.user.is_superuser:
            return frozenset(Account.objects.values_list("pk", flat=True))
        whole = memberships_of(self.user).filter(repository=None, role__in=roles)
        return frozenset(whole.values_list("account", flat=True))
