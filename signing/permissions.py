"""Who may do what: the one place that decides.

`may(user, action, thing)` answers, `require(user, action, thing)` refuses. `thing` is the object the action is about;
the roles in its account and in its repositories count (`signing.roles`). What a person may not even see is left out by
the selectors, so that pages answer "not found" and never "forbidden" for it.

Each action also names the scope an API token needs for it. A token only ever takes away: it never gives a right that
its user has not got.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rules.predicates import Predicate

from signing.errors import NotAllowed
from signing.models import Account, ApiToken, ChangeRequest, Key, Operation, Repository, Signer, User
from signing.roles import (
    ADMINS,
    LEADS,
    OVERSEERS,
    Matter,
    Role,
    Thing,
    account_of,
    acting_token,
    memberships_of,
    named_repositories,
)

__all__ = ("Thing", "account_of", "acting_token", "may", "require", "scope_of")

KEY_HOLDERS = LEADS | {Role.SIGNER}
WORKERS = KEY_HOLDERS | {Role.DEVELOPER}
MEMBERS = frozenset(Role.values)
READ, REQUEST, PUBLISH, APPROVE, MANAGE = (
    ApiToken.Scope.READ,
    ApiToken.Scope.REQUEST,
    ApiToken.Scope.PUBLISH,
    ApiToken.Scope.APPROVE,
    ApiToken.Scope.MANAGE,
)
MACHINE_SCOPES = frozenset({READ, REQUEST})  # a machine account asks and reads, whatever role it was given


def _claim(holds: Callable[[User, Matter], bool]) -> Predicate:
    """Make a claim one that joins others with &, | and ~; the package's own decorator has no types."""
    return Predicate(holds)


def _has_role(roles: frozenset[str]) -> Predicate:
    return Predicate(lambda user, matter: matter.has_role(roles), name=f"has one of {sorted(roles)}")


def _has_part(roles: frozenset[str]) -> Predicate:
    return Predicate(lambda user, matter: matter.has_part(roles), name=f"has somewhere one of {sorted(roles)}")


@_claim
def is_admin(user: User, matter: Matter) -> bool:
    return user.is_superuser and not user.is_machine


@_claim
def reads_everything(user: User, matter: Matter) -> bool:
    return user.reads_everything


@_claim
def is_machine_account(user: User, matter: Matter) -> bool:
    return user.is_machine


@_claim
def is_own_key(user: User, matter: Matter) -> bool:
    return isinstance(matter.thing, Key) and matter.thing.owner_id == user.pk


@_claim
def is_oneself(user: User, matter: Matter) -> bool:
    return isinstance(matter.thing, User) and matter.thing.pk == user.pk


@_claim
def is_own_signer(user: User, matter: Matter) -> bool:
    return isinstance(matter.thing, Signer) and matter.thing.user_id == user.pk


@_claim
def is_machine_signer(user: User, matter: Matter) -> bool:
    signer = matter.thing
    return isinstance(signer, Signer) and (signer.user is None or signer.user.is_machine)


@_claim
def asked_for_it(user: User, matter: Matter) -> bool:
    return isinstance(matter.thing, Operation | ChangeRequest) and matter.thing.requested_by_id == user.pk


@_claim
def is_own_token(user: User, matter: Matter) -> bool:
    """Tell whether it is this person's token, or this person, whose token is to be made."""
    of = matter.thing.user if isinstance(matter.thing, ApiToken) else matter.thing
    return of == user


@_claim
def runs_the_machine(user: User, matter: Matter) -> bool:
    """Tell whether it is a machine account all of whose roles are in accounts this person leads, or a token of one.

    All, because its tokens open every one of them.
    """
    machine = matter.thing.user if isinstance(matter.thing, ApiToken) else matter.thing
    if not isinstance(machine, User) or not machine.is_machine:
        return False
    if user.is_superuser:
        return True
    led = memberships_of(user).filter(repository=None, role__in=LEADS).values_list("account", flat=True)
    places = set(machine.memberships.values_list("account", flat=True))
    return bool(places) and places <= set(led)


@_claim
def is_token(user: User, matter: Matter) -> bool:
    return isinstance(matter.thing, ApiToken)


reads_all = is_admin | reads_everything
leads = is_admin | _has_role(LEADS)
works = is_admin | _has_role(WORKERS)


class Rule(NamedTuple):
    """Who may, and which scope a token needs for it."""

    who: Predicate
    scope: str


_RULES: dict[str, Rule] = {
    # the installation
    "create_account": Rule(is_admin, MANAGE),
    "manage_people": Rule(is_admin, MANAGE),
    "manage_trust_servers": Rule(is_admin, MANAGE),
    "manage_own": Rule(~is_machine_account, MANAGE),  # how somebody hears of things, and where they are signed in
    "read_people": Rule(reads_all, READ),
    "read_trust_servers": Rule(reads_all, READ),
    "read_whole_audit": Rule(reads_all, READ),
    "read_health": Rule(reads_all, READ),  # of parts that nobody's account goes through
    # an account; somebody with a role in one of its repositories sees its name, not what is in it
    "view": Rule(reads_all | _has_role(MEMBERS), READ),
    "read_policy": Rule(reads_all | _has_part(MEMBERS), READ),
    "read_audit": Rule(reads_all | _has_role(OVERSEERS), READ),
    "view_webhooks": Rule(reads_all | _has_role(OVERSEERS), READ),
    "manage_webhooks": Rule(leads, MANAGE),
    "manage_account": Rule(leads, MANAGE),
    "manage_members": Rule(leads, MANAGE),
    "manage_leads": Rule(is_admin | _has_role(ADMINS), MANAGE),
    "create_machine": Rule(leads, MANAGE),
    "create_repository": Rule(leads, MANAGE),
    "manage_root_keys": Rule(leads, MANAGE),
    "create_key": Rule(is_admin | _has_part(KEY_HOLDERS), MANAGE),
    "create_signer": Rule(is_admin | _has_part(KEY_HOLDERS), MANAGE),
    "create_signer_for_others": Rule(leads, MANAGE),
    # a key; a machine account reads none
    "read_keys": Rule((reads_all | _has_part(MEMBERS)) & ~is_machine_account, READ),
    "use_key": Rule(leads | (is_own_key & _has_part(KEY_HOLDERS)), MANAGE),
    "replace_key": Rule(leads | (is_own_key & _has_part(KEY_HOLDERS)), REQUEST),
    # a key, an account or a person: the emergency stop is for who is responsible, and for oneself; going on is not
    "freeze": Rule((leads | is_own_key | is_oneself) & ~is_machine_account, MANAGE),
    "lift_freeze": Rule(is_admin, MANAGE),
    # what a holder is asked to sign: nobody else's signature counts, and nobody else refuses it
    "give_signature": Rule(is_own_key & (is_admin | _has_part(WORKERS)), PUBLISH),
    # a repository
    "check_repository": Rule(works, PUBLISH),
    "accept_change": Rule(leads, APPROVE),  # of keys that nobody asked for here
    "publish": Rule(works, PUBLISH),
    "pull": Rule(works, PUBLISH),
    # a signer: nobody signs in another person's name, whatever they are. The repository is passed as `at`.
    "sign_with": Rule(
        (_has_part(WORKERS) & is_own_signer) | (_has_role(KEY_HOLDERS) & is_machine_signer),
        PUBLISH,
    ),
    # what may be asked for, of a repository
    "request_signer": Rule(works, REQUEST),
    "request_signer_removal": Rule(works, REQUEST),
    "request_signature": Rule(works, REQUEST),
    "request_revocation": Rule(works, REQUEST),
    "request_rotation": Rule(leads, REQUEST),
    "request_policy": Rule(leads, REQUEST),
    # a request: another person than the one who asked, always
    "decide_request": Rule(leads & ~asked_for_it, APPROVE),
    "retry_request": Rule(leads, APPROVE),
    "withdraw_request": Rule(leads | (works & asked_for_it), REQUEST),
    # an operation
    "change_operation": Rule(leads | (works & asked_for_it), PUBLISH),
    # API tokens: one's own, and those of machines one answers for. An administrator ends anybody's but makes nobody's.
    "manage_tokens": Rule((is_own_token & ~is_machine_account) | runs_the_machine | (is_admin & is_token), MANAGE),
}


def may(user: User, action: str, thing: Thing = None, *, at: Repository | None = None) -> bool:
    """Tell whether this person may do that to this thing. An unknown action is nobody's.

    `at` names the repository in which a signer is to be used; without it the account's own roles count.
    """
    rule = _RULES.get(action)
    if rule is None or not user.is_active:
        return False
    if user.is_machine and rule.scope not in MACHINE_SCOPES:
        return False
    matter = Matter(user, thing, at)
    return _token_allows(acting_token(user), rule, matter) and bool(rule.who.test(user, matter))


def require(user: User, action: str, thing: Thing = None, *, at: Repository | None = None) -> None:
    """Raise `NotAllowed` unless `may`."""
    if may(user, action, thing, at=at):
        return
    if action == "decide_request" and isinstance(thing, ChangeRequest) and thing.requested_by_id == user.pk:
        raise NotAllowed(
            "You asked for this yourself; somebody else has to decide.",
            next_step="Ask another lead of the account, or an administrator.",
        )
    token, scope = acting_token(user), scope_of(action)
    if token and scope not in token.scopes:
        raise NotAllowed(
            "This API token may not do that.",
            next_step=f"Make a token with the scope {scope!r}, if its owner may do it.",
            scope=scope,
        )
    raise NotAllowed(_REFUSALS.get(action, "You may not do that in this account."), action=action)


def scope_of(action: str) -> str:
    """Tell which scope a token needs for an action; an unknown action needs the most."""
    rule = _RULES.get(action)
    return str(rule.scope if rule else MANAGE)


def _token_allows(token: ApiToken | None, rule: Rule, matter: Matter) -> bool:
    """Tell whether the token, if there is one, reaches so far.

    One that names repositories opens these, and shows the accounts they are in; nothing else.
    """
    if token is None:
        return True
    if rule.scope not in token.scopes:
        return False
    named = named_repositories(token)
    if not named:
        return True
    if matter.places:
        return matter.places <= named
    is_shown = rule.scope == READ and isinstance(matter.thing, Account)
    return is_shown and matter.account in {row.account for row in token.repositories.all()}


_REFUSALS = {
    "create_account": "Only an administrator creates accounts.",
    "manage_people": "Only an administrator manages people.",
    "manage_trust_servers": "Only an administrator changes trust servers.",
    "read_people": "Only an administrator or an auditor of the installation sees everybody.",
    "read_trust_servers": "Only an administrator or an auditor of the installation sees what trust servers store.",
    "manage_account": "Only a lead changes this account.",
    "manage_members": "Only a lead gives or takes roles here.",
    "manage_leads": "Only an admin of the account makes or removes its leads and admins.",
    "create_machine": "Only a lead makes machine accounts here.",
    "manage_tokens": "Only its owner makes tokens; a machine's are made by the leads of its accounts.",
    "manage_webhooks": "Only a lead changes the webhooks of this account.",
    "create_repository": "Only a lead adds repositories to this account.",
    "manage_root_keys": "Only a lead makes, imports or replaces root and repository keys.",
    "create_key": "Only a signer or a lead adds keys to this account.",
    "create_signer": "Only a signer or a lead adds signers to this account.",
    "create_signer_for_others": "Only a lead makes a signer for somebody else, or with somebody else's key.",
    "use_key": "Only the key's owner or a lead of its account may do that with this key.",
    "replace_key": "Only the key's owner or a lead of its account replaces it.",
    "freeze": "Only a lead, an administrator, or whoever it belongs to freezes this.",
    "lift_freeze": "Only an administrator lifts a freeze.",
    "give_signature": "Only the owner of the key signs or refuses this.",
    "sign_with": "You may not sign as this signer: it belongs to somebody else.",
    "request_rotation": "Only a lead asks for another key.",
    "accept_change": "Only a lead of the account accepts a change that nobody asked for here.",
    "request_policy": "Only a lead asks for another policy.",
    "decide_request": "Only a lead of the account decides about requests.",
    "retry_request": "Only a lead of the account tries the rest of a request again.",
    "withdraw_request": "Only the one who asked, or a lead, withdraws a request.",
    "change_operation": "Only the person who started the operation, or a lead, may do that.",
}
