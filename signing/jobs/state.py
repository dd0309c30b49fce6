"""Check repositories and write what verified, and what did not, on their rows."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from signing import wiring
from signing.adapters.trust_cache import StoredTrustCache
from signing.jobs import findings, stored_tags
from signing.jobs.alarms import Place, settle
from signing.jobs.expected import Explanations, keys_found, known_keys, review
from signing.models import Alert, Repository, SignedTag, Signer
from signing.trust.errors import (
    ExpiredMetadata,
    NoTrustData,
    ServerError,
    TrustError,
    UnmetThreshold,
    UntrustedRoot,
)
from signing.trust.notary.client import TrustedRepository
from signing.trust.notary.client import refresh as refresh_trust
from signing.trust.notary.gun import Gun
from signing.trust.notary.transport import Transport
from signing.trust.policy.verdict import of_failure
from signing.trust.tuf.roles import BASE_ROLES

Verdict = Repository.Verdict
Pair = tuple[Repository, TrustedRepository]

_VERDICTS: tuple[tuple[type[TrustError], Verdict], ...] = (
    (ExpiredMetadata, Verdict.EXPIRED),
    (UntrustedRoot, Verdict.UNKNOWN_KEY),
    (UnmetThreshold, Verdict.UNKNOWN_KEY),
    (ServerError, Verdict.UNREACHABLE),
)


def check_repository(repository: Repository, transport: Transport | None = None) -> Verdict:
    """Ask the trust server, verify from what was trusted before, and write the outcome.

    What does not verify changes the verdict, also of the tags, and says why; the rows that verified last stay.

    Raises:
        TrustError: whatever went wrong, after it was written. A repository without trust data is no error.
    """
    try:
        if transport is None:
            with wiring.transport_for(repository.account.trust_server) as opened:
                trusted = _refresh(repository, opened)
        else:
            trusted = _refresh(repository, transport)
    except TrustError as error:
        return store_error(repository, error)
    store_verified(repository, trusted)
    return Verdict.VERIFIED


def store_error(repository: Repository, error: TrustError) -> Verdict:
    """Write how a check failed.

    Raises:
        TrustError: that very failure, once it is written; only a repository that never had trust data has none.
    """
    if isinstance(error, NoTrustData):
        return _store_absence(repository, error)
    store_failure(repository, error)
    raise error


def store_verified(repository: Repository, trusted: TrustedRepository) -> None:
    """Write everything pages show of a repository, in one transaction, and raise or clear its alerts."""
    store_all([(repository, trusted)])
    repository.refresh_from_db()


def store_all(pairs: Sequence[Pair]) -> None:
    """Do the same for many repositories at once."""
    now = timezone.now()
    pks = [repository.pk for repository, _ in pairs]
    with transaction.atomic():
        before = {row.pk: row for row in Repository.objects.select_related("account").filter(pk__in=pks)}
        tags = _grouped(SignedTag.objects.filter(repository__in=pks))
        alerts = _grouped(Alert.objects.filter(repository__in=pks, cleared_at=None))
        signers = _keys_of_signers(row.account_id for row in before.values())
        changes = []
        for repository, trusted in pairs:
            row = before.get(repository.pk)
            if row is None:
                continue  # it was removed meanwhile
            why = Explanations(row, row.verified_at)
            agreed, unexpected = review(row.accepted, keys_found(trusted), why)
            known = known_keys(agreed) | signers.get(row.account_id, frozenset())
            changed = stored_tags.compare(row, trusted, tags.get(row.pk, ()), known, now)
            _write_row(row, trusted, agreed, changed, now)
            changes.append(changed)
            wanted = findings.of_verified(row, trusted, changed, unexpected, why, alerts.get(row.pk, ()))
            settle(Place(row), wanted, findings.KINDS, alerts.get(row.pk, ()))
        stored_tags.write(changes)


def store_failure(repository: Repository, error: TrustError) -> None:
    """Write why the newest check did not verify; what verified before stays, but its tags are verified no more.

    A server's silence changes no tag, until what was seen last has run out.
    """
    now = timezone.now()
    if isinstance(error, ServerError) and (end := end_of(repository)) is not None and end < now:
        error = ExpiredMetadata(
            f"What the trust server said last of {repository.gun} ran out on {end:%Y-%m-%d}, and it gives no answer.",
            next_step=error.next_step,
        )
    verdict = next((found for kind, found in _VERDICTS if isinstance(error, kind)), Verdict.BROKEN)
    _write_failure(repository, verdict, error)


def end_of(repository: Repository, among: Container[str] = BASE_ROLES) -> datetime | None:
    """Tell when the first of the files that verified last runs out, the server's own included, delegations not."""
    ends = [datetime.fromisoformat(entry["expires"]) for entry in repository.roles if entry["role"] in among]
    return min(ends, default=None)


def end_of_all(repository: Repository) -> datetime | None:
    """Tell when the first of all files runs out, those of delegations included."""
    return end_of(repository, [entry["role"] for entry in repository.roles])


def _refresh(repository: Repository, transport: Transport) -> TrustedRepository:
    return refresh_trust(Gun.parse(repository.gun), transport, StoredTrustCache(repository), must_reach_server=True)


def _store_absence(repository: Repository, error: NoTrustData) -> Verdict:
    """Tell a repository that never had trust data from one that lost it."""
    if repository.verified_at is None:
        _write_failure(repository, Verdict.UNSIGNED, error, is_alarming=False)
        return Verdict.UNSIGNED
    lost = NoTrustData(
        f"{repository.gun} had trust data before, but its trust server has none now.",
        next_step="Ask the trust server's administrator what became of it; do not trust new data without a reason.",
    )
    lost.code = findings.LOST
    _write_failure(repository, Verdict.BROKEN, lost)
    raise lost


def _write_failure(repository: Repository, verdict: Verdict, error: TrustError, *, is_alarming: bool = True) -> None:
    """Write the verdict on the row and on its tags; the kinds of alert it speaks of become what it says."""
    row = Repository.objects.filter(pk=repository.pk)
    shown = {"verdict": verdict, "reason": error.message, "reason_code": error.code, "next_step": error.next_step}
    with transaction.atomic():
        is_new = bool(row.exclude(**shown).update(**shown, state_version=F("state_version") + 1))
        row.update(checked_at=timezone.now())
        if not isinstance(error, ServerError):
            if is_new:
                judged = of_failure(error)
                SignedTag.objects.filter(repository=repository.pk).update(
                    verdict=judged.word.value, reason_code=judged.code
                )
            repository.refresh_from_db()
            wanted = [findings.of_failure(error)] if is_alarming else []
            settle(Place(repository), wanted, findings.OF_FAILURE)
    repository.refresh_from_db()


def _write_row(
    row: Repository,
    trusted: TrustedRepository,
    agreed: dict[str, Any],
    changes: stored_tags.TagChanges,
    now: datetime,
) -> None:
    """Write the row itself; what pages show of it counts one up where anything of it changed."""
    shown = {
        "verdict": Verdict.VERIFIED,
        "reason": "",
        "reason_code": "",
        "next_step": "",
        "signers": [{"name": name, "keys": list(keys)} for name, keys in trusted.signers()],
        "administrative_keys": {kind: list(keys) for kind, keys in trusted.administrative_keys().items()},
        "roles": _roles(trusted),
        "left_out": {role: error.message for role, error in trusted.left_out.items()},
        "accepted": agreed,
        "timestamp_version": trusted.timestamp.version,
    }
    differs = [name for name, value in shown.items() if getattr(row, name) != value]
    fields: dict[str, Any] = {name: shown[name] for name in differs}
    if differs or not changes.is_empty:
        fields["state_version"] = F("state_version") + 1
    Repository.objects.filter(pk=row.pk).update(**fields, checked_at=now, verified_at=now)
    for name in differs:
        setattr(row, name, shown[name])


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.repository_id, []).append(row)
    return found


def _keys_of_signers(accounts: Iterable[int]) -> dict[int, frozenset[str]]:
    """Give the ids of the keys that people of each account hold: signing by them is no signing by a stranger."""
    found: dict[int, set[str]] = {}
    for account, key_id in Signer.objects.filter(account__in=set(accounts)).values_list("account", "key__key_id"):
        found.setdefault(account, set()).add(key_id)
    return {account: frozenset(keys) for account, keys in found.items()}


def _roles(trusted: TrustedRepository) -> list[dict[str, Any]]:
    files = {
        "root": trusted.root,
        "targets": trusted.targets,
        "snapshot": trusted.snapshot,
        "timestamp": trusted.timestamp,
    }
    rows = []
    for name, file in files.items():
        role = trusted.root.role(name)
        rows.append(_role(name, file, role.threshold, list(role.keys)))
    first = [delegation.name for delegation in trusted.targets.delegations if delegation.name in trusted.delegations]
    for name in dict.fromkeys([*first, *trusted.delegations]):
        role = trusted.role(name)
        rows.append(_role(name, trusted.delegations[name], role.threshold, list(role.keys)))
    return rows


def _role(name: str, file: Any, threshold: int, keys: list[str]) -> dict[str, Any]:
    expires = file.expires.isoformat()
    return {"role": name, "version": file.version, "expires": expires, "threshold": threshold, "keys": keys}
