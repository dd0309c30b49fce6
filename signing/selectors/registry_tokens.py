"""What a person may do on a trust server, in the words of registries' tokens: pull, push, *."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from signing.models import Account, Membership, User
from signing.permissions import may
from signing.selectors.accounts import account_of_image
from signing.trust.errors import InvalidInput

LONGEST_SCOPE = 512
_SCOPE = re.compile(r"(?P<kind>[a-z0-9]+)(?:\([a-z0-9]+\))?:(?P<name>[^\s\"]+):(?P<actions>[a-z*,]*)", re.ASCII)

# Who deletes trust data or replaces the server's keys decides about the repository as a whole.
_ALLOWED_BY = {"pull": "view", "push": "publish", "*": "manage_account"}
PUSHING_ROLES = (Membership.Role.LEAD, Membership.Role.SIGNER, Membership.Role.DEVELOPER)


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
    account = account_of_image(scope.name)
    return [action for action in scope.actions if action in _ALLOWED_BY and may(user, _ALLOWED_BY[action], account)]


def people_who_may_push(account: Account | None) -> QuerySet[User]:
    """List who gets a token to publish in an account; without an account these are the administrators."""
    allowed = Q(is_superuser=True)
    if account is not None:
        allowed |= Q(memberships__account=account, memberships__role__in=PUSHING_ROLES)
    return User.objects.filter(allowed, is_active=True).distinct().order_by("username")
