"""What a person may do on a trust server, in the words of registries' tokens: pull, push, *."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from signing.models import Membership, Repository, User
from signing.permissions import WORKERS, may
from signing.roles import acting_token, counting, named_repositories
from signing.selectors.accounts import account_of_image
from signing.trust.errors import InvalidInput

LONGEST_SCOPE = 512
_SCOPE = re.compile(r"(?P<kind>[a-z0-9]+)(?:\([a-z0-9]+\))?:(?P<name>[^\s\"]+):(?P<actions>[a-z*,]*)", re.ASCII)

# Who deletes trust data or replaces the server's keys decides about the repository as a whole.
_ALLOWED_BY = {"pull": "view", "push": "publish", "*": "manage_account"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Actions on one thing, as a client asks for them: `repository:GUN:push,pull`."""

    kind: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read a scope; a GUN may hold colons itself.

        Raises:
            InvalidInput: it is none.
        """
        found = _SCOPE.fullmatch(text) if len(text) <= LONGEST_SCOPE else None
        if found is None:
            raise InvalidInput(f"{text[:80]!r} is no scope.", next_step="Write it as repository:GUN:push,pull.")
        actions = tuple(dict.fromkeys(action for action in found["actions"].split(",") if action))
        return cls(found["kind"], found["name"], actions)


def granted_actions(user: User | None, scope: Scope) -> Sequence[str]:
    """List those of the scope's actions that this person may do; nobody in particular may do none."""
    if user is None:
        return ()
    if scope.kind == "registry":
        return scope.actions if scope.name == "catalog" and may(user, "manage_trust_servers") else ()
    if scope.kind != "repository":
        return ()
    repository = Repository.objects.filter(gun=scope.name).first()
    if repository is None and named_repositories(acting_token(user)):
        return ()  # the account of what it names is shown to a token; other names in it are not its business
    place = repository or account_of_image(scope.name)
    return [action for action in scope.actions if action in _ALLOWED_BY and may(user, _ALLOWED_BY[action], place)]


def people_who_may_push(gun: str) -> QuerySet[User]:
    """List who gets a token to publish a repository; outside every account these are the administrators."""
    pushing = Membership.objects.filter(counting(), role__in=WORKERS)
    repository = Repository.objects.filter(gun=gun).first()
    account = repository.account if repository else account_of_image(gun)
    of_account = Q(account=account, repository=None)
    members = pushing.filter(of_account | Q(repository=repository) if repository else of_account)
    allowed = Q(is_superuser=True) | Q(pk__in=members.values("user"))
    return User.objects.filter(allowed, is_active=True, is_machine=False).order_by("username")
