"""Signers: a name in an account, the key it signs with and the person behind it."""

from __future__ import annotations

import re

from django.db import transaction

from signing.errors import Conflict
from signing.models import Account, Key, Signer, User
from signing.permissions import require
from signing.services import audit
from signing.trust.errors import InvalidInput, InvalidName

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")  # what `docker trust signer add` accepts
_TAKEN = frozenset({"releases", "root", "targets", "snapshot", "timestamp"})


@transaction.atomic
def create_signer(*, actor: User, account: Account, name: str, key: Key, user: User | None = None) -> Signer:
    """Name a signer. Nobody trusts it yet: that takes an approved request for each repository."""
    require(actor, "create_signer", account)
    check_signer_name(name)
    if key.account_id != account.pk or key.purpose != Key.Purpose.SIGNER:
        raise InvalidInput("That is not a signer key of this account.", next_step="Choose one of its signer keys.")
    is_own = key.owner_id == actor.pk and user in (None, actor)
    if not is_own:
        require(actor, "create_signer_for_others", account)
    if Signer.objects.filter(account=account, name=name).exists():
        raise Conflict(f"{account} has a signer named {name} already.", next_step="Choose another name.")
    signer = Signer.objects.create(account=account, name=name, key=key, user=user)
    audit.record(actor, "create_signer", account=account, subject=signer, key=key.key_id)
    return signer


def check_signer_name(name: str) -> None:
    """Raise `InvalidName` for a name docker would refuse, or one that means a role of its own."""
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise InvalidName(
            f"{name!r} is no name for a signer.",
            next_step="Use lower-case letters, digits, hyphens and underscores, beginning with a letter or digit;"
            " releases, root, targets, snapshot and timestamp are taken.",
        )
