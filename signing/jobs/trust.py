"""Sign tags and check repositories, and what everything that publishes shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.db import transaction

from signing import addresses, queue, wiring
from signing.adapters.held_keys import held_keys
from signing.adapters.unsealing import take_secrets
from signing.announcing import announce
from signing.approvals.checking import approved_lines_if_needed
from signing.jobs import signatures
from signing.jobs.run import Run, perform
from signing.jobs.state import check_repository, store_failure, store_verified
from signing.models import ChangeRequest, Event, Repository, Signer
from signing.trust.errors import (
    CannotSign,
    MetadataError,
    NoSuchSigner,
    NoTrustData,
    ServerUnreachable,
    TrustError,
)
from signing.trust.notary.publishing import let_pass
from signing.trust.notary.repository import Published
from signing.trust.notary.repository import Repository as TrustRepository
from signing.trust.notary.transport import Transport
from signing.trust.tuf.metadata import Target

MOST_SENTENCES = 30


def sign(operation_id: int) -> None:
    """Sign one digest as one signer, read it back, and only then go on."""
    perform(queue.SIGN, operation_id, _sign)


def refresh(operation_id: int) -> None:
    """Check one repository now."""
    perform(queue.REFRESH, operation_id, _refresh)


def _sign(run: Run) -> None:
    operation = run.operation
    repository, signer = repository_of(run), signer_of(run)
    guard = approved_lines_if_needed(operation) or let_pass
    found = {**operation.parameters, **run.result}
    target = Target.from_digest(operation.parameters["tag"], found["digest"], found["length"])
    with wiring.transport_for(repository.account.trust_server) as transport:
        if operation.attempts and _is_signed(run, repository, transport, signer, target):
            run.say("An earlier attempt had stored the signature already.")
        else:
            keystore = held_keys(
                repository.account,
                [signer.key],
                take_secrets(operation),
                repository=repository,
                insists=operation.insists,
            )
            trust = wiring.trust_repository(repository, transport, keystore, guard)
            published = _publish(run, trust, [target], signer, repository)
            note(run, published)
            store_verified(repository, published.trusted)
    tell(
        run,
        Event.SIGNED,
        f"{repository.gun}:{target.name} is signed by {signer.name}.",
        repository,
        tag=target.name,
        digest=f"sha256:{target.digest}",
        signer=signer.name,
    )


def _publish(
    run: Run, trust: TrustRepository, targets: Sequence[Target], signer: Signer, repository: Repository
) -> Published:
    run.say(f"Signing {', '.join(target.name for target in targets)} as {signer.name}.")
    try:
        return signatures.published(run, trust, lambda: trust.sign(targets))
    except CannotSign as error:
        raise CannotSign(
            f"{signer.name} may not sign {repository.gun}: its trust data does not list this key.",
            next_step="Request the signer for this repository first; a lead approves it.",
        ) from error
    except TrustError as error:
        explain(run, error, repository)
        raise


def _refresh(run: Run) -> None:
    verdict = check_repository(repository_of(run))
    run.result["verdict"] = verdict.value
    run.say(f"The repository is {verdict.label.lower()}.")


def _is_signed(run: Run, repository: Repository, transport: Transport, signer: Signer, target: Target) -> bool:
    """Look whether a worker that was lost had finished; its secret is used up, so this needs none."""
    check_repository(repository, transport)
    is_signed = any(
        row.signers and signer.name in row.signers
        for row in repository.tags.filter(tag=target.name, digest=target.digest)
    )
    if is_signed:
        run.result["signature_stored"] = True
        run.save_result()
    return is_signed


def note(run: Run, published: Published) -> None:
    """Write at once that it is stored: from here on the operation never says that nothing was published."""
    run.result["versions"] = dict(published.versions)
    run.result["signature_stored"] = True
    run.save_result()
    changed = ", ".join(f"{role} {version}" for role, version in published.versions.items())
    run.say(f"Stored and read back: {changed}." if changed else "The trust data said so already.")
    for sentence in published.changes[:MOST_SENTENCES]:
        run.say(sentence)
    if len(published.changes) > MOST_SENTENCES:
        run.say(f"And {len(published.changes) - MOST_SENTENCES} more changes.")
    for warning in published.warnings:
        run.say(f"Warning: {warning}")


def tell(run: Run, event: Event, subject: str, repository: Repository, **detail: str) -> None:
    """Announce once what this operation did, however often its worker was lost."""
    if run.result.get("told"):
        return
    request = ChangeRequest.objects.filter(pk=run.operation.parameters.get("request")).first()
    with transaction.atomic():
        run.result["told"] = True
        run.save_result()
        announce(
            event,
            subject=subject,
            path=addresses.repository(repository),
            repository=repository,
            request=request,
            actor=run.operation.requested_by,
            operation=run.operation.pk,
            **cast(dict[str, Any], detail),
        )


def explain(run: Run, error: TrustError, repository: Repository) -> None:
    """Keep what a failed publish taught about the repository, and say what may have been stored."""
    if isinstance(error, MetadataError | ServerUnreachable):
        store_failure(repository, error)
    if isinstance(error, ServerUnreachable):
        run.say("If the trust server had stored the update before the connection broke, the next check shows it.")


def repository_of(run: Run) -> Repository:
    if run.operation.repository is None:
        raise NoTrustData("The repository was removed meanwhile.")
    return run.operation.repository


def signer_of(run: Run) -> Signer:
    if run.operation.signer is None:
        raise NoSuchSigner("The signer was removed meanwhile.")
    return run.operation.signer
