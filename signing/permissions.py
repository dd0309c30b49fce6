"""Who may do what: the one place that decides.

`may(user, action, thing)` answers, `require(user, action, thing)` refuses. `thing` is the object the action
is about; its account gives the person's role. What a person may not even see is left out by the selectors,
so that pages answer "not found" and never "forbidden" for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rules.predicates import Predicate

from signing.errors import NotAllowed
from signing.models import (
    Account,
    ChangeRequest,
    Key,
    Membership,
    Operation,
    Repository,
    Signer,
    User,
)

Thing = Account | Key | Operation | Repository | Signer | ChangeRequest | None
Role = Membership.Role


def account_of(thing: Thing) -> Account | None:
    """Find the account a thing belongs to."""
    if thing is None or isinstance(thing, Account):
        return thing
    return thing.account


def role_in(user: User, account: Account | None) -> str | None:
    """Tell the person's role in an account; None for a stranger."""
    if account is None:
        return None
    return Membership.objects.filter(account=account, user=user).values_list("role", flat=True).first()


def _predicate(holds: Callable[[User, Any], bool]) -> Predicate:
    """Make a claim one that joins others with &, | and ~; the package's own decorator has no types."""
    return Predicate(holds)


def _member_with(*roles: str) -> Predicate:
    def holds(user: User, thing: Thing) -> bool:
        return role_in(user, account_of(thing)) in roles

    return Predicate(holds, name="member with " + " or ".join(roles))


@_predicate
def is_admin(user: User, thing: Thing) -> bool:
    return user.is_superuser


@_predicate
def is_own_key(user: User, key: Key) -> bool:
    return key.owner_id == user.pk


@_predicate
def is_own_signer(user: User, signer: Signer) -> bool:
    return signer.user_id == user.pk


@_predicate
def is_machine(user: User, signer: Signer) -> bool:
    return signer.user_id is None


@_predicate
def asked_for_it(user: User, thing: Operation | ChangeRequest) -> bool:
    return thing.requested_by_id == user.pk


is_lead = _member_with(Role.LEAD)
holds_keys = _member_with(Role.LEAD, Role.SIGNER)
may_work = _member_with(Role.LEAD, Role.SIGNER, Role.DEVELOPER)
is_member = _member_with(*Role.values)

_RULES: dict[str, Predicate] = {
    # the installation
    "create_account": is_admin,
    "manage_people": is_admin,
    "manage_trust_servers": is_admin,
    # an account
    "view": is_admin | is_member,
    "manage_account": is_admin | is_lead,
    "create_repository": is_admin | is_lead,
    "manage_root_keys": is_admin | is_lead,
    "create_key": is_admin | holds_keys,
    "create_signer": is_admin | holds_keys,
    "create_signer_for_others": is_admin | is_lead,
    "read_audit": is_admin | _member_with(Role.LEAD, Role.AUDITOR),
    # a key
    "use_key": is_admin | is_lead | (is_own_key & holds_keys),
    # a repository
    "check_repository": is_admin | may_work,
    "publish": is_admin | may_work,
    "pull": is_admin | may_work,
    # a signer: a lead approves signers but does not sign in their name
    "request_signer": is_admin | may_work,
    "sign_with": is_admin | (may_work & is_own_signer) | (holds_keys & is_machine),
    # a request: another person than the one who asked, always
    "decide_request": (is_admin | is_lead) & ~asked_for_it,
    # an operation
    "change_operation": is_admin | is_lead | (may_work & asked_for_it),
}


def may(user: User, action: str, thing: Thing = None) -> bool:
    """Tell whether this person may do that to this thing. An unknown action is nobody's."""
    return user.is_active and action in _RULES and bool(_RULES[action].test(user, thing))


def require(user: User, action: str, thing: Thing = None) -> None:
    """Raise `NotAllowed` unless `may`."""
    if may(user, action, thing):
        return
    if action == "decide_request" and isinstance(thing, ChangeRequest) and asked_for_it(user, thing):
        raise NotAllowed(
            "You asked for this yourself; somebody else has to decide.",
            next_step="Ask another lead of the account, or an administrator.",
        )
    raise NotAllowed(_REFUSALS.get(action, "You may not do that in this account."), action=action)


_REFUSALS = {
    "create_account": "Only an administrator creates accounts.",
    "manage_people": "Only an administrator manages people.",
    "manage_trust_servers": "Only an administrator changes trust servers.",
    "manage_account": "Only a lead changes this account.",
    "create_repository": "Only a lead adds repositories to this account.",
    "manage_root_keys": "Only a lead makes, imports or replaces root and repository keys.",
    "create_key": "Only a signer or a lead adds keys to this account.",
    "create_signer": "Only a signer or a lead adds signers to this account.",
    "create_signer_for_others": "Only a lead makes a signer for somebody else, or with somebody else's key.",
    "use_key": "Only the key's owner or a lead of its account may do that with this key.",
    "sign_with": "You may not sign as this signer: it belongs to somebody else.",
    "decide_request": "Only a lead of the account decides about requests.",
    "change_operation": "Only the person who started the operation, or a lead, may do that.",
}
