"""What a check found that somebody should know, in the words of an alert."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Q

from signing.jobs.alarms import FAILURES, Facts, Place, clear
from signing.jobs.expected import Change, Explanations, keys_found
from signing.jobs.stored_tags import TagChanges
from signing.jobs.tag_states import fallen_out
from signing.models import Alert, Membership, Repository, SignedTag, WatchedKey
from signing.roles import counting
from signing.trust.errors import ExpiredMetadata, Rollback, TrustError, UnmetThreshold, UntrustedRoot
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.policy.verdict import REGISTRY_DIFFERS, UNKNOWN_SIGNER_KEY

Kind = Alert.Kind

LOST = "trust_data_lost"
VANISHED = "signature_vanished"
SIGNER_CHANGED = "signer_changed"
ROOT_CHANGED = "root_changed"
WATCHED = "watched_key_signed"

KINDS = (*FAILURES, Kind.ROOT, Kind.SIGNERS, Kind.UNSIGNED, Kind.WATCHED, Kind.DRIFTED)
"""Kinds a check that verified tells about."""

OF_FAILURE = (*FAILURES, Kind.ROOT)
"""Kinds a check that did not verify tells about; the others stay as they are."""

_KINDS: tuple[tuple[type[TrustError], Kind], ...] = (
    (ExpiredMetadata, Kind.EXPIRED),
    (Rollback, Kind.ROLLBACK),
    (UntrustedRoot, Kind.ROOT),
    (UnmetThreshold, Kind.UNKNOWN_KEY),
)
_PLAIN = (str, int, list)


def of_failure(error: TrustError) -> Facts:
    """Tell what does not verify any more, and why."""
    kind = next((found for cause, found in _KINDS if isinstance(error, cause)), Kind.BROKEN)
    evidence = {name: value for name, value in error.detail.items() if isinstance(value, _PLAIN)}
    return Facts(kind, error.code, error.message, error.next_step, evidence=evidence)


def of_verified(
    repository: Repository,
    trusted: TrustedRepository,
    changes: TagChanges,
    unexpected: Sequence[Change],
    why: Explanations,
    opened: Sequence[Alert],
) -> list[Facts]:
    """Tell what is not as it should be although everything verified."""
    return [
        *_of_keys(repository, trusted, unexpected),
        *_of_left_out(repository, trusted),
        *_still_drifted(repository, changes.rows, opened),
        *_of_tags(repository, changes.rows),
        *_vanished(repository, changes, why, opened),
        *_watched(repository, changes, why, opened),
    ]


def drifted(repository: Repository, rows: Iterable[SignedTag]) -> list[Facts]:
    """Tell which tags mean something else in the registry than what was signed, whatever else is wrong with them."""
    counted = [row for row in rows if row.is_counted]
    digests: dict[str, set[str]] = {}
    for row in counted:
        digests.setdefault(row.tag, set()).add(row.digest)
    return [
        Facts(
            Kind.DRIFTED,
            REGISTRY_DIFFERS,
            f"{repository.gun}:{row.tag} is sha256:{row.registry_digest[:12]} in the registry, "
            f"but sha256:{row.digest[:12]} was signed.",
            "Find out who pushed it. Sign the new image if it is right; else push the signed one again.",
            row.tag,
            {"signed": row.digest, "registry": row.registry_digest},
        )
        for row in counted
        if row.registry_digest and row.registry_digest not in digests[row.tag]
    ]


def clear_vanished(place: Place, opened: Iterable[Alert], listed: Collection[str]) -> None:
    """Clear the alerts of signatures that vanished from tags which the registry shows no more."""
    for alert in opened:
        if alert.tag not in listed:
            clear(place, alert, "The registry shows the tag no more.")


def _of_keys(repository: Repository, trusted: TrustedRepository, unexpected: Sequence[Change]) -> list[Facts]:
    root = [change for change in unexpected if change.whose == "root"]
    others = [change for change in unexpected if change.whose != "root"]
    found = keys_found(trusted)
    told = []
    if root:
        told.append(_changed(Kind.ROOT, ROOT_CHANGED, repository, root, found))
    if others:
        told.append(_changed(Kind.SIGNERS, SIGNER_CHANGED, repository, others, found))
    return told


def _changed(kind: Kind, code: str, repository: Repository, changes: Sequence[Change], found: dict[str, Any]) -> Facts:
    what = "; ".join(change.sentence() for change in changes[:5])
    evidence = {
        "changes": [{"whose": one.whose, "before": list(one.before), "now": list(one.now)} for one in changes],
        "found": found,
    }
    return Facts(
        kind,
        code,
        f"In {repository.gun} {what}, and nobody asked for that here.",
        "Ask the key's owner whether this was meant. If it was, accept it; if not, take the key out and look what it "
        "signed.",
        evidence=evidence,
    )


def _of_left_out(repository: Repository, trusted: TrustedRepository) -> list[Facts]:
    """Tell of delegations that fell out with tags in them: one alert for those that expired, one for the others."""
    with_tags = {name: trusted.left_out[name] for name in fallen_out(trusted)}
    expired = {name: error for name, error in with_tags.items() if isinstance(error, ExpiredMetadata)}
    others = {name: error for name, error in with_tags.items() if name not in expired}
    told = []
    for kind, group in ((Kind.EXPIRED, expired), (Kind.UNKNOWN_KEY, others)):
        if group:
            first = next(iter(group.values()))
            reason = f"{repository.gun}: {' '.join(error.message for error in list(group.values())[:3])}"
            told.append(Facts(kind, first.code, reason, first.next_step, evidence={"roles": sorted(group)}))
    return told


def _of_tags(repository: Repository, rows: Sequence[SignedTag]) -> list[Facts]:
    told = []
    for row in rows:
        if row.reason_code == UNKNOWN_SIGNER_KEY:
            keys = ", ".join(key_id[:12] for key_id in row.key_ids[:3])
            told.append(
                Facts(
                    Kind.UNKNOWN_KEY,
                    UNKNOWN_SIGNER_KEY,
                    f"{repository.gun}:{row.tag} is signed by a key nobody here knows: {keys}.",
                    "Ask whose key it is. If it is right, accept the new signer; if not, take the signer out.",
                    row.tag,
                    {"signed": row.digest, "key_ids": row.key_ids, "signers": row.signers},
                )
            )
    return told


def _still_drifted(repository: Repository, rows: Sequence[SignedTag], opened: Sequence[Alert]) -> list[Facts]:
    """Tell which tags differ still. That one begins to is told by who asks the registry, and looks twice."""
    told = {alert.tag for alert in opened if alert.kind == Kind.DRIFTED}
    return [one for one in drifted(repository, rows) if one.tag in told] if told else []


def _vanished(repository: Repository, changes: TagChanges, why: Explanations, opened: Sequence[Alert]) -> list[Facts]:
    """Tell which signatures are gone without a reason; one stays told until the tag is signed again."""
    lost = {row.tag: row.digest for row in changes.vanished() if not why.gone(row.tag)}
    signed = {row.tag for row in changes.rows}
    for alert in opened:
        if alert.kind == Kind.UNSIGNED and alert.tag not in signed and alert.tag not in lost:
            lost[alert.tag] = str(alert.evidence.get("signed", ""))
    return [
        Facts(
            Kind.UNSIGNED,
            VANISHED,
            f"The signature of {repository.gun}:{tag} vanished, and nobody asked for that here.",
            "Find out who took it back. Sign the tag again if it is right.",
            tag,
            {"signed": digest},
        )
        for tag, digest in lost.items()
    ]


def _watched(repository: Repository, changes: TagChanges, why: Explanations, opened: Sequence[Alert]) -> list[Facts]:
    """Tell which watched keys signed what nobody asked for here; it stays told while that signature counts."""
    still = [alert for alert in opened if alert.kind == Kind.WATCHED]
    if repository.verified_at is None or not (changes.added_keys or still):
        return []
    told = {}
    wanted = {key_id for _, added in changes.added_keys for key_id in added}
    watchers: dict[str, list[int]] = {}
    rows = WatchedKey.objects.filter(_who_sees(repository), key_id__in=wanted, user__is_active=True)
    for user, key_id in rows.values_list("user", "key_id").distinct():
        watchers.setdefault(key_id, []).append(user)
    for row, added in changes.added_keys:
        seen = [key_id for key_id in added if key_id in watchers]
        if seen and row.is_counted and not why.signed(row.tag):
            owners = sorted({user for key_id in seen for user in watchers[key_id]})
            told[row.tag] = _signed_by_watched(repository, row.tag, row.digest, seen[0], owners)
    signed = {(row.tag, row.digest, key_id) for row in changes.rows for key_id in row.key_ids} if still else set()
    for alert in still:
        digest, key_id = str(alert.evidence.get("signed")), str(alert.evidence.get("key_id"))
        if alert.tag not in told and (alert.tag, digest, key_id) in signed:
            told[alert.tag] = _signed_by_watched(
                repository, alert.tag, digest, key_id, alert.evidence.get("watchers", [])
            )
    return list(told.values())


def _who_sees(repository: Repository) -> Q:
    """Say whose keys to watch count: of people who see the repository. A key id alone opens nothing to anybody."""
    roles = Membership.objects.filter(counting(), account=repository.account_id)
    here = roles.filter(Q(repository=None) | Q(repository=repository.pk))
    return Q(user__in=here.values("user")) | Q(user__is_superuser=True) | Q(user__reads_everything=True)


def _signed_by_watched(repository: Repository, tag: str, digest: str, key_id: str, owners: list[int]) -> Facts:
    return Facts(
        Kind.WATCHED,
        WATCHED,
        f"The watched key {key_id[:12]} signed {repository.gun}:{tag} (sha256:{digest[:12]}), "
        "and nobody asked for that here.",
        "If it was you, accept it. If not, the key may be in other hands: freeze it and replace it.",
        tag,
        {"signed": digest, "key_id": key_id, "watchers": owners},
    )
