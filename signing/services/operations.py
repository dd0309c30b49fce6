"""Queued work: publish, sign, pull, and what a person may do to an operation that exists."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from signing import queue
from signing.approvals.custody import require_custody
from signing.approvals.policies import policy_of
from signing.endings import end_operation
from signing.errors import Conflict, NotAllowed, TooLate
from signing.models import Key, Operation, Repository, Signer, User
from signing.permissions import may, require
from signing.selectors.accounts import account_of_image
from signing.selectors.operations import is_retryable, passphrases_needed
from signing.services import audit
from signing.services.work import restart_operation, start_operation, write_line
from signing.trust.errors import CannotSign, InvalidInput, InvalidName, NoTag
from signing.trust.notary.gun import ImageName, check_digest, check_tag


@transaction.atomic
def publish_image(
    *,
    actor: User,
    repository: Repository,
    source: str,
    tag: str,
    signer: Signer | None = None,
    passphrase: str | None = None,
    from_local: bool = False,
    sign: bool = True,
) -> Operation:
    """Pull (unless it is in the Engine already), push, sign and only then move the public tag.

    Everything that can be refused is refused here, before any work.
    """
    require(actor, "publish", repository)
    check_new_tag(tag)
    name = ImageName.parse(source)
    if not (name.tag or name.digest):
        raise NoTag(f"{source!r} names no tag.")
    if sign:
        signer = _checked_signer(actor, repository, signer)
        _require_direct(repository)
    elif repository.account.enforces_trust:
        raise InvalidInput(
            f"{repository.account} enforces trust: an unsigned tag is refused.",
            next_step="Choose a signer, or ask a lead to end enforcement for the account.",
        )
    parameters = {"source": source.strip(), "tag": tag, "from_local": from_local, "sign": sign}
    parameters |= _source_account(actor, name)
    if sign and signer and not signer.key.is_held_here:  # others publish while its holder takes their time
        parameters["staging_tag"] = f"{Operation.STAGING_TAG}-{secrets.token_hex(6)}"
    operation = start_operation(
        Operation.Kind.PUBLISH,
        actor=actor,
        account=repository.account,
        repository=repository,
        signer=signer if sign else None,
        key=signer.key if sign and signer else None,
        parameters=parameters,
        secrets=_signer_secret(signer.key, passphrase) if sign and signer else {},
    )
    audit.record(
        actor,
        "publish_image",
        account=repository.account,
        subject=f"{repository.gun}:{tag}",
        source=source,
        signer=signer.name if sign and signer else "",
        custody=signer.key.custody if sign and signer else "",
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def sign_digest(
    *,
    actor: User,
    repository: Repository,
    tag: str,
    digest: str,
    length: int,
    signer: Signer,
    passphrase: str | None = None,
) -> Operation:
    """Sign a digest that is in the registry already, without any Engine."""
    require(actor, "publish", repository)
    check_new_tag(tag)
    digest = check_digest(digest if ":" in digest else f"sha256:{digest}")
    if length <= 0:
        raise InvalidInput("The manifest's length has to be a positive number of bytes.")
    signer = _checked_signer(actor, repository, signer)
    _require_direct(repository)
    operation = start_operation(
        Operation.Kind.SIGN,
        actor=actor,
        account=repository.account,
        repository=repository,
        signer=signer,
        key=signer.key,
        parameters={"tag": tag, "digest": digest, "length": length},
        secrets=_signer_secret(signer.key, passphrase),
    )
    audit.record(
        actor,
        "sign_digest",
        account=repository.account,
        subject=f"{repository.gun}:{tag}",
        digest=digest,
        signer=signer.name,
        custody=signer.key.custody,
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def pull_image(*, actor: User, repository: Repository, tag: str) -> Operation:
    """Pull a tag into the Engine, by its verified digest where there is one."""
    require(actor, "pull", repository)
    check_tag(tag)
    operation = start_operation(
        Operation.Kind.PULL,
        actor=actor,
        account=repository.account,
        repository=repository,
        parameters={
            "source": f"{repository.gun}:{tag}",
            "tag": tag,
            "source_account": repository.account_id,
            "source_login": True,
        },
    )
    audit.record(
        actor,
        "pull_image",
        account=repository.account,
        subject=f"{repository.gun}:{tag}",
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def retry_operation(
    *,
    actor: User,
    operation: Operation,
    passphrase: str | None = None,
    passphrases: Mapping[str, str] | None = None,
    insists: bool = False,
) -> Operation:
    """Queue a failed operation again.

    A publish whose signature is stored goes on with moving the tag and needs no passphrase; everything else
    starts over. `passphrase` is short for the one purpose "signer". Who `insists` has a
    token's PIN tried even where the token says that one more wrong one locks it.
    """
    require(actor, "change_operation", operation)
    if operation.kind == Operation.Kind.IMPORT_KEY:
        raise Conflict("The key file was used up by the first try.", next_step="Import the key file again.")
    if operation.kind in Operation.ONCE:
        raise Conflict("What came sealed with it was used up by the first try.", next_step="Start it anew.")
    if not is_retryable(operation):
        raise TooLate("Only a failed operation can be tried again.")
    needed = passphrases_needed(operation)
    signs = operation.kind in (Operation.Kind.PUBLISH, Operation.Kind.SIGN) or "signer" in needed
    if operation.signer and signs:
        require(actor, "sign_with", operation.signer, at=operation.repository)
    given = dict(passphrases or {})
    if passphrase:
        given.setdefault("signer", passphrase)
    for purpose in needed:
        if not given.get(purpose):
            raise InvalidInput(f"The passphrase of the {purpose} key is needed to try again.")
    if insists:
        operation.parameters["insists"] = True
        operation.save(update_fields=["parameters"])
    step = restart_operation(operation, actor=actor, secrets={purpose: given[purpose] for purpose in needed})
    audit.record(actor, "retry_operation", account=operation.account, subject=operation, step=step, insists=insists)
    return operation


@transaction.atomic
def cancel_operation(*, actor: User, operation: Operation) -> Operation:
    """Stop work that has not signed anything yet.

    What waits is cancelled at once; what runs stops at the next safe point, which the worker decides. From the
    signature on there is no way back but signing anew.
    """
    require(actor, "change_operation", operation)
    operation.refresh_from_db()
    if operation.is_finished:
        raise TooLate(f"The operation is over already: {operation.outcome}.")
    if operation.is_signature_stored:
        raise TooLate("The signature is stored already, so the tag has to follow it.")
    mine = Operation.objects.filter(pk=operation.pk)
    waiting = mine.filter(state__in=(Operation.State.QUEUED, Operation.State.NEEDS_SIGNATURE))
    running = mine.filter(state=Operation.State.RUNNING, step__in=(queue.RESOLVE, queue.PULL, queue.PUSH))
    if end_operation(operation, waiting, Operation.State.CANCELLED):
        write_line(operation, f"Cancelled by {actor}.")
    elif running.update(cancel_requested=True):
        write_line(operation, f"{actor} asks to cancel.")
    else:
        raise TooLate(f"The step {operation.step} has begun and cannot be stopped any more.")
    audit.record(actor, "cancel_operation", account=operation.account, subject=operation)
    operation.refresh_from_db()
    return operation


def check_new_tag(tag: str) -> None:
    """Raise unless an image may be published under this tag.

    Raises:
        NoTag, InvalidName: it may not.
    """
    if not tag:
        raise NoTag("A tag is needed.")
    if check_tag(tag).startswith(Operation.STAGING_TAG):
        raise InvalidName(
            f"Tags that begin with {Operation.STAGING_TAG} are kept for images that are not signed yet; choose another."
        )


def _require_direct(repository: Repository) -> None:
    """Refuse to sign without an approval where the policy wants one."""
    needed = policy_of(repository).needed_to_sign
    if needed:
        raise NotAllowed(
            f"Signing in {repository.gun} takes {needed} approval{'s' if needed > 1 else ''}.",
            next_step="Push the image under any tag, then ask for its digest to be signed.",
        )


def _checked_signer(actor: User, repository: Repository, signer: Signer | None) -> Signer:
    """Refuse a signer who does not fit, was never approved here, or is somebody else."""
    if signer is None or signer.account_id != repository.account_id:
        raise InvalidInput("A signer of this account is needed to sign.", next_step="Choose one of its signers.")
    require(actor, "sign_with", signer, at=repository)
    keys = [key for entry in repository.signers if entry["name"] == signer.name for key in entry["keys"]]
    if signer.key.key_id not in keys:
        raise CannotSign(
            f"{signer.name} was never approved as a signer of {repository.gun}.",
            next_step="Request the signer for this repository first; a lead approves it.",
        )
    require_custody(repository, [signer.key])
    return signer


def _signer_secret(key: Key, passphrase: str | None) -> dict[str, str]:
    if not key.asks_passphrase:
        return {}
    if not passphrase:
        raise InvalidInput(f"The passphrase of the key {key.name} is needed.", next_step="Type the key's passphrase.")
    return {"signer": passphrase}


def _source_account(actor: User, name: ImageName) -> dict[str, Any]:
    """Find whose image the source is: its trust data decides, its registry login is for members only."""
    account = account_of_image(str(name.gun))
    if account is None:
        return {"source_account": None, "source_login": False}
    return {"source_account": account.pk, "source_login": may(actor, "pull", account)}
