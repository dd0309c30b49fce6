"""Work that needs keys their holders keep: prepare the exact bytes, ask, and go on once enough have signed.

Every verb of a repository goes through `published`, so that a key with its holder is no special case of any of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from signing import addresses, ceremonies
from signing.announcing import announce
from signing.approvals.policies import policy_of
from signing.approvals.previews import state_of
from signing.jobs.run import Run, Waiting
from signing.models import Event, Key, PreparedFile, Repository, SignatureTask
from signing.trust.errors import KeyNotHeld, ServerUnreachable, TrustError, VersionConflict
from signing.trust.notary.lines import diff_lines
from signing.trust.notary.prepared import PreparedFile as Prepared
from signing.trust.notary.prepared import SignaturesMissing
from signing.trust.notary.repository import Published
from signing.trust.notary.repository import Repository as TrustRepository
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.tuf.metadata import Root
from signing.trust.tuf.roles import Role

ANEW = (
    "The repository changed while signatures were awaited, so everything is prepared anew; no signature given counts."
)


def published(run: Run, trust: TrustRepository, verb: Callable[[], Published]) -> Published:
    """Publish what was prepared, if its holders have signed it; else do the verb, and ask the holders it needs.

    Raises:
        Waiting: holders are asked; the operation waits for them and its step is over for now.
        TrustError: as the verb does.
    """
    if ceremonies.is_complete(run.operation):
        try:
            return _finished(run, trust)
        except VersionConflict:
            ceremonies.set_aside(run.operation)
            run.say(ANEW)
    try:
        return verb()
    except SignaturesMissing as missing:
        _ask(run, missing.files)
        raise Waiting from None


def _finished(run: Run, trust: TrustRepository) -> Published:
    run.say("Enough holders have signed.")
    try:
        return trust.publish_prepared(ceremonies.signed_files(run.operation))
    except (ServerUnreachable, VersionConflict):
        raise  # what was signed serves the next attempt, or is prepared anew
    except TrustError:
        ceremonies.set_aside(run.operation)
        raise


def _ask(run: Run, files: tuple[Prepared, ...]) -> None:
    """Keep the files and ask their holders, all or nothing; from then on the step waits."""
    operation = run.operation
    if operation.repository is None:
        raise KeyNotHeld("The repository was removed meanwhile.")
    until = timezone.now() + timedelta(days=policy_of(operation.repository).request_days)
    lines = _lines(state_of(operation.repository), files)
    with transaction.atomic():
        ceremonies.set_aside(operation)
        asked: dict[Key, list[PreparedFile]] = defaultdict(list)
        for file in files:
            row = _keep(run, file, lines[file.role])
            for keyid, public in file.wanted.items():
                key = Key.objects.select_related("owner").get(key_id=public.canonical_id)
                SignatureTask.objects.create(file=row, key=key, tuf_key_id=keyid, expires_at=until)
                asked[key].append(row)
        for key, rows in asked.items():
            _tell(run, operation.repository, key, rows, until)
        run.wait()


def _keep(run: Run, file: Prepared, lines: list[str]) -> PreparedFile:
    return PreparedFile.objects.create(
        operation=run.operation,
        role=file.role,
        version=file.version,
        payload=file.envelope.payload,
        payload_hash=file.payload_hash,
        signatures=[
            {**signature.to_json(), "key": _named(file, signature.keyid)} for signature in file.envelope.signatures
        ],
        needs=[
            {"threshold": role.threshold, "keys": sorted({key.canonical_id for key in role.keys.values()})}
            for role in file.by
        ],
        summary=lines,
    )


def _named(file: Prepared, keyid: str) -> str:
    return next(role.keys[keyid].canonical_id for role in file.by if keyid in role.keys)


def _lines(before: TrustedRepository | None, files: tuple[Prepared, ...]) -> Mapping[str, list[str]]:
    """Give the lines of each file by itself, as an approval shows those of all."""
    return {
        file.role: diff_lines(
            before,
            Update({}, file.content)
            if isinstance(file.content, Root)
            else Update({file.role: (Role(file.role, {}, 1), file.content)}),
        )
        for file in files
    }


def _tell(run: Run, repository: Repository, key: Key, rows: list[PreparedFile], until: datetime) -> None:
    files = ", ".join(f"{row.role} {row.version}" for row in rows)
    holder = f"{key.owner}, who holds" if key.owner else "whoever holds"
    run.say(f"Waiting until {until:%Y-%m-%d %H:%M} for {holder} the key {key.key_id[:12]}, to sign {files}.")
    announce(
        Event.NEEDS_SIGNATURE,
        subject=f"{repository.gun} needs your signature of {files} with the key {key.name}.",
        path=addresses.operation(run.operation),
        repository=repository,
        actor=run.operation.requested_by,
        owner=key.owner_id,
        key=key.key_id,
        operation=run.operation.pk,
        files=[{"role": row.role, "version": row.version, "sha256": row.payload_hash} for row in rows],
        expires=until.isoformat(),
    )
