"""Accept a change that an alert wonders about, and choose whose signatures to hear of."""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from signing import addresses
from signing.announcing import announce
from signing.errors import Conflict, NotAllowed, TooLate
from signing.models import Alert, Event, Operation, Repository, User, WatchedKey
from signing.permissions import require
from signing.services import audit
from signing.services.work import start_operation
from signing.trust.errors import InvalidKey

ACCEPTED_KINDS = (Alert.Kind.ROOT, Alert.Kind.SIGNERS, Alert.Kind.WATCHED)
MOST_WATCHED = 500
_KEY_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


def is_acceptable(alert: Alert) -> bool:
    """Tell whether an alert is about a change that may have been meant; a replaced root that does not verify is not."""
    has_ground = alert.kind == Alert.Kind.WATCHED or "found" in alert.evidence
    return alert.is_open and alert.kind in ACCEPTED_KINDS and has_ground


@transaction.atomic
def accept_alert(*, actor: User, alert: Alert, reason: str = "") -> Alert:
    """Say that a change was meant: what was found counts as agreed from now on, and the repository is checked anew.

    Raises:
        NotAllowed: it is not for this person to say.
        TooLate: it is cleared already.
        Conflict: it is no change that could have been meant.
    """
    alert = Alert.objects.select_for_update(of=("self",)).select_related("repository__account").get(pk=alert.pk)
    repository = alert.repository
    if repository is None:
        raise Conflict("There is nothing to accept: the alert clears once the server answers.")
    is_own = alert.kind == Alert.Kind.WATCHED and actor.pk in alert.evidence.get("watchers", [])
    if is_own:
        require(actor, "manage_own")
    else:
        require(actor, "accept_change", repository)
    if not alert.is_open:
        raise TooLate("The alert is cleared already.")
    if not is_acceptable(alert):
        raise Conflict("This is no change that could have been meant; it clears once it is right again.")
    _agree(repository, alert)
    alert.cleared_at = timezone.now()
    alert.cleared_because = f"{actor} accepted it.{f' {reason}' if reason else ''}"[:300]
    alert.save(update_fields=["cleared_at", "cleared_because"])
    check = start_operation(Operation.Kind.REFRESH, actor=actor, account=repository.account, repository=repository)
    audit.record(
        actor,
        "accept_change",
        account=repository.account,
        subject=alert.subject,
        reason=reason,
        alert=alert.pk,
        kind=alert.kind,
        evidence=alert.evidence,
        operation=check.pk,
    )
    announce(
        Event.CLEARED,
        subject=f"{actor} accepted what changed in {alert.subject}.",
        path=addresses.alert(alert),
        repository=repository,
        actor=actor,
        alert=alert.pk,
        kind=alert.kind,
    )
    return alert


def _agree(repository: Repository, alert: Alert) -> None:
    """Let what the alert found be what is agreed: the root, or everything else."""
    if alert.kind == Alert.Kind.WATCHED:
        return
    found, accepted = alert.evidence["found"], dict(repository.accepted or alert.evidence["found"])
    parts = ("root",) if alert.kind == Alert.Kind.ROOT else ("repository", "signers")
    accepted |= {part: found[part] for part in parts}
    rows = Repository.objects.filter(pk=repository.pk)
    rows.update(accepted=accepted, state_version=F("state_version") + 1)


@transaction.atomic
def watch_key(*, actor: User, key_id: str) -> WatchedKey:
    """Hear of what a key signs without anybody asking for it here, in repositories one has a role in.

    Raises:
        InvalidKey: it is no key id.
        NotAllowed: these are very many.
    """
    require(actor, "manage_own")
    key_id = key_id.strip().lower()
    if not _KEY_ID.fullmatch(key_id):
        raise InvalidKey("A key id has 64 hex digits.", next_step="Copy it from the page of the key.")
    if actor.watched_keys.count() >= MOST_WATCHED:
        raise NotAllowed(f"You watch {MOST_WATCHED} keys already.", next_step="Stop watching one of them first.")
    row, _ = WatchedKey.objects.get_or_create(user=actor, key_id=key_id)
    audit.record(actor, "watch_key", account=None, subject=key_id)
    return row


@transaction.atomic
def unwatch_key(*, actor: User, key_id: str) -> None:
    """Hear of a key no more. One that was not watched stays so."""
    require(actor, "manage_own")
    WatchedKey.objects.filter(user=actor, key_id=key_id).delete()
    audit.record(actor, "unwatch_key", account=None, subject=key_id)
