"""Write what verified, and what did not, on a repository's row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from signing import addresses, wiring
from signing.adapters.trust_cache import StoredTrustCache
from signing.announcing import announce
from signing.models import Event, Repository, SignedTag
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

Verdict = Repository.Verdict

_VERDICTS: tuple[tuple[type[TrustError], Verdict], ...] = (
    (ExpiredMetadata, Verdict.EXPIRED),
    (UntrustedRoot, Verdict.UNKNOWN_KEY),
    (UnmetThreshold, Verdict.UNKNOWN_KEY),
    (ServerError, Verdict.UNREACHABLE),
)
_ALARMS = (Verdict.EXPIRED, Verdict.UNKNOWN_KEY, Verdict.BROKEN)


def check_repository(repository: Repository, transport: Transport | None = None) -> Verdict:
    """Ask the trust server, verify from what was trusted before, and write the outcome.

    What does not verify changes the verdict and says why; the rows that verified last stay.

    Raises:
        TrustError: whatever went wrong, after it was written. A repository without trust data is no error.
    """
    try:
        if transport is None:
            with wiring.transport_for(repository.account.trust_server) as opened:
                trusted = _refresh(repository, opened)
        else:
            trusted = _refresh(repository, transport)
    except NoTrustData as error:
        return _store_absence(repository, error)
    except TrustError as error:
        store_failure(repository, error)
        raise
    store_verified(repository, trusted)
    return Verdict.VERIFIED


def store_verified(repository: Repository, trusted: TrustedRepository) -> None:
    """Write everything pages show of a repository, in one transaction."""
    now = timezone.now()
    with transaction.atomic():
        Repository.objects.filter(pk=repository.pk).update(
            verdict=Verdict.VERIFIED,
            reason="",
            next_step="",
            checked_at=now,
            verified_at=now,
            signers=[{"name": name, "keys": list(keys)} for name, keys in trusted.signers()],
            administrative_keys={kind: list(keys) for kind, keys in trusted.administrative_keys().items()},
            roles=_roles(trusted),
            left_out={role: error.message for role, error in trusted.left_out.items()},
        )
        _store_tags(repository, trusted, now)
    repository.refresh_from_db()


def store_failure(repository: Repository, error: TrustError) -> None:
    """Write why the newest check did not verify; everything that verified before stays."""
    verdict = next((found for kind, found in _VERDICTS if isinstance(error, kind)), Verdict.BROKEN)
    _write_verdict(repository, verdict, error)


def _refresh(repository: Repository, transport: Transport) -> TrustedRepository:
    return refresh_trust(Gun.parse(repository.gun), transport, StoredTrustCache(repository), must_reach_server=True)


def _store_absence(repository: Repository, error: NoTrustData) -> Verdict:
    """Tell a repository that never had trust data from one that lost it."""
    if repository.verified_at is None:
        _write_verdict(repository, Verdict.UNSIGNED, error)
        return Verdict.UNSIGNED
    lost = NoTrustData(
        f"{repository.gun} had trust data before, but its trust server has none now.",
        next_step="Ask the trust server's administrator what became of it; do not trust new data without a reason.",
    )
    _write_verdict(repository, Verdict.BROKEN, lost)
    raise lost


def _write_verdict(repository: Repository, verdict: Verdict, error: TrustError) -> None:
    """Write it, and tell people once if what verified before does not any more. Silence of a server tells nothing."""
    row = Repository.objects.filter(pk=repository.pk)
    fields = {"reason": error.message, "next_step": error.next_step, "checked_at": timezone.now()}
    with transaction.atomic():
        is_new = bool(row.exclude(verdict=verdict).update(verdict=verdict, **fields))
        if not is_new:
            row.update(**fields)
        elif repository.verified_at and verdict in _ALARMS:
            announce(
                Event.DRIFT,
                subject=f"{repository.gun} does not verify any more: {error.message}",
                path=addresses.repository(repository),
                repository=repository,
                verdict=verdict.value,
                code=error.code,
            )
    repository.refresh_from_db()


def _store_tags(repository: Repository, trusted: TrustedRepository, now: datetime) -> None:
    """Bring the tag rows in line; a tag that kept its digest keeps its row and the time it was first seen."""
    known = {(row.tag, row.digest): row for row in repository.tags.all()}
    fresh, changed = [], []
    for position, released in enumerate(trusted.released()):
        fields = {
            "length": released.length,
            "signers": list(released.signers),
            "sort_key": f"{position:08d}",  # the trust core put them in docker's order
        }
        row = known.pop((released.tag, released.digest_hex), None)
        if row is None:
            fresh.append(
                SignedTag(repository=repository, tag=released.tag, digest=released.digest_hex, first_seen=now, **fields)
            )
        elif any(getattr(row, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            changed.append(row)
    SignedTag.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    SignedTag.objects.bulk_create(fresh, batch_size=500)
    SignedTag.objects.bulk_update(changed, ["length", "signers", "sort_key"], batch_size=200)


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
    for delegation in trusted.targets.delegations:
        if own := trusted.delegations.get(delegation.name):
            rows.append(_role(delegation.name, own, delegation.threshold, list(delegation.keyids)))
    return rows


def _role(name: str, file: Any, threshold: int, keys: list[str]) -> dict[str, Any]:
    expires = file.expires.isoformat()
    return {"role": name, "version": file.version, "expires": expires, "threshold": threshold, "keys": keys}
