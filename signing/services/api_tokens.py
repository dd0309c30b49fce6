"""API tokens: made, used and ended. Only a hash is kept, so a token is shown once and never again."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from signing.errors import NotAllowed, TooLate
from signing.models import ApiToken, Repository, User
from signing.permissions import MACHINE_SCOPES, acting_token, require
from signing.selectors.repositories import visible_repositories
from signing.services import audit
from signing.trust.errors import InvalidInput

PREFIX = "trustui_"  # secret scanners find what begins alike
SHOWN_CHARACTERS = len(PREFIX) + 4
MOST_DAYS = 365
USE_IS_NOTED_EVERY = timedelta(minutes=1)
_RAW = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@transaction.atomic
def create_token(
    *,
    actor: User,
    user: User,
    name: str,
    scopes: Sequence[str],
    repositories: Sequence[Repository] = (),
    days: int,
) -> tuple[ApiToken, str]:
    """Make a token for oneself or for a machine account one answers for; the second value is the token, shown once.

    A token that makes another gives it no more than it has itself. A machine's token reads and asks, on named
    repositories.

    Raises:
        InvalidInput: no name, scope, repository or number of days that a token can have.
    """
    require(actor, "manage_tokens", user)
    repositories = list(dict.fromkeys(repositories))
    _check_name(name)
    _check_days(days)
    _check_scopes(user, scopes)
    _check_repositories(actor, user, repositories)
    expires_at = timezone.now() + timedelta(days=days)
    if acting := acting_token(actor):
        _check_is_no_more(acting, scopes, repositories)
        expires_at = min(expires_at, acting.expires_at)
    raw = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        prefix=raw[:SHOWN_CHARACTERS],
        token_hash=_hash(raw),
        scopes=[scope for scope in ApiToken.Scope.values if scope in scopes],
        created_by=actor,
        expires_at=expires_at,
    )
    token.repositories.set(repositories)
    audit.record(
        actor,
        "create_token",
        account=None,
        subject=token,
        user=user.username,
        scopes=token.scopes,
        repositories=[repository.gun for repository in repositories],
        expires=expires_at.isoformat(),
    )
    return token, raw


@transaction.atomic
def revoke_token(*, actor: User, token: ApiToken) -> ApiToken:
    """End a token at once. Its row stays, for the record.

    Raises:
        TooLate: it is revoked already.
    """
    require(actor, "manage_tokens", token)
    ended = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if not ended:
        raise TooLate("This token is revoked already.")
    token.refresh_from_db(fields=["revoked_at"])
    audit.record(actor, "revoke_token", account=None, subject=token, user=token.user.username)
    return token


def authenticate(raw: str) -> ApiToken | None:
    """Find the usable token behind the text a program sent; its user acts through it from then on.

    The text is looked up by its hash, so that how long it takes tells nothing of the tokens there are. It writes no
    audit event and notes the use at most once a minute.
    """
    if not _RAW.fullmatch(raw):
        return None
    token = (
        ApiToken.objects.select_related("user").prefetch_related("repositories").filter(token_hash=_hash(raw)).first()
    )
    if token is None or not token.is_usable or token.user.must_change_password:
        return None
    now = timezone.now()
    is_due = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
    ApiToken.objects.filter(is_due, pk=token.pk).update(last_used_at=now)
    token.user.acting_token = token  # type: ignore[attr-defined]  # see signing.roles.acting_token
    return token


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()  # 256 random bits: nothing a slow hash would add


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise InvalidInput("A token needs a name of at most 100 characters.", next_step="Say where it will be used.")


def _check_days(days: int) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"A token lives between 1 and {MOST_DAYS} days.", next_step="Choose fewer days.")


def _check_scopes(user: User, scopes: Sequence[str]) -> None:
    known = MACHINE_SCOPES if user.is_machine else frozenset(ApiToken.Scope.values)
    if not scopes or not known.issuperset(scopes):
        names = ", ".join(scope for scope in ApiToken.Scope.values if scope in known)
        raise InvalidInput(
            "A machine account's token may only read and ask." if user.is_machine else "A token needs known scopes.",
            next_step=f"Choose among {names}.",
        )


def _check_repositories(actor: User, user: User, repositories: Sequence[Repository]) -> None:
    """Refuse repositories that either of the two cannot see, in the words for one that is not there."""
    if user.is_machine and not repositories:
        raise InvalidInput("A machine account's token names its repositories.", next_step="Choose at least one.")
    keys = {repository.pk for repository in repositories}
    for person in (actor, user):
        if visible_repositories(person).filter(pk__in=keys).count() != len(keys):
            raise InvalidInput(
                f"Not all of these are repositories that {user.username} may see.",
                next_step="Choose among the ones offered, or give the account a role there first.",
            )


def _check_is_no_more(acting: ApiToken, scopes: Sequence[str], repositories: Sequence[Repository]) -> None:
    named = {repository.pk for repository in acting.repositories.all()}
    wanted = {repository.pk for repository in repositories}
    if not set(scopes) <= set(acting.scopes) or (named and not (wanted and wanted <= named)):
        raise NotAllowed(
            "A token makes no token that may do more than itself.",
            next_step="Sign in to make this one, or choose fewer scopes.",
        )
