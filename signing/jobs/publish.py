"""The steps of a publish around the signature: find the source, fetch it, stage it, and at the end move the tag.

The image is pushed under a staging tag. The public tag moves in `release` only, after `sign` has stored the
signature and read it back.
"""

from __future__ import annotations

from signing import queue, wiring
from signing.adapters.registry import Manifest, Registry
from signing.adapters.trust_cache import StoredTrustCache
from signing.errors import BadRegistryAnswer, RegistryError
from signing.jobs.run import Run, perform
from signing.models import Account, Operation, Repository
from signing.trust.errors import NoSuchTarget, NoTrustData, ServerUnreachable, TrustError
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import ReleasedTag, TrustedRepository
from signing.trust.notary.client import refresh as refresh_trust
from signing.trust.notary.gun import Gun, ImageName


def resolve(operation_id: int) -> None:
    """Pin the source to its signed digest, where it belongs to one of our accounts."""
    perform(queue.RESOLVE, operation_id, _resolve)


def pull(operation_id: int) -> None:
    """Fetch the source into the Engine."""
    perform(queue.PULL, operation_id, _pull)


def push(operation_id: int) -> None:
    """Push the image under the staging tag and learn its digest and length."""
    perform(queue.PUSH, operation_id, _push)


def release(operation_id: int) -> None:
    """Move the public tag to what was signed."""
    perform(queue.RELEASE, operation_id, _release)


def clean_staging(operation_id: int) -> None:
    """Remove the staging tag of a publish that ended before its tag moved. Tried once."""
    left = Operation.objects.filter(pk=operation_id, state__in=Operation.FINISHED, result__staging="left")
    operation = left.select_related("repository__account", "repository__lease").first()
    if operation is None:
        return
    kept = _clean(operation)
    operation.lines.create(text=kept)
    operation.result["staging"] = kept
    operation.save(update_fields=["result"])


def _clean(operation: Operation) -> str:
    holder = _repository(operation).lease
    is_shared = operation.staging_tag == Operation.STAGING_TAG
    if is_shared and holder and holder != operation and not holder.is_finished:
        return f"Operation {holder.pk} uses the staging tag now and removes it."
    try:
        with wiring.registry_for(_repository(operation).account) as registry:
            return _remove_staging(registry, operation)
    except TrustError as error:
        return f"The staging tag {operation.staging_tag} could not be removed: {error.message}"


def _resolve(run: Run) -> None:
    name = ImageName.parse(run.operation.parameters["source"])
    source = _plain_name(name)
    account = Account.objects.filter(pk=run.operation.parameters.get("source_account")).first()
    digest = name.digest
    if account is None:
        run.say(f"{source} belongs to none of the accounts here, so its signatures are not checked.")
    else:
        digest = _verified_digest(run, account, name) or digest
    run.result["source"] = f"{name.gun}@{digest}" if digest else source
    run.result["is_source_verified"] = account is not None and digest is not None and digest != name.digest


def _pull(run: Run) -> None:
    parameters = run.operation.parameters
    source = run.result["source"]
    account = Account.objects.filter(pk=parameters["source_account"]).first() if parameters["source_login"] else None
    name = ImageName.parse(parameters["source"])
    run.say(f"Pulling {source}.")
    with wiring.engine() as engine:
        engine.pull(source, wiring.login_for(account), run.progress)
        run.keep_alive()
        if "@" in source and name.tag:
            engine.tag(source, f"{name.gun}:{name.tag}")


def _push(run: Run) -> None:
    operation = run.operation
    repository = _repository(operation)
    source = run.result.get("source") or operation.parameters["source"]
    run.say(f"Pushing to {repository.gun} under the staging tag.")
    with wiring.engine() as engine:
        engine.tag(source, f"{repository.gun}:{operation.staging_tag}")
        pushed = engine.push(repository.gun, operation.staging_tag, wiring.login_for(repository.account), run.progress)
    run.result |= {"digest": pushed.digest, "length": pushed.size}
    run.keep_alive()
    with wiring.registry_for(_repository(operation).account) as registry:
        _staged_manifest(registry, run)  # what will be signed is what the registry holds, not what the Engine says
    run.say(f"The registry holds {pushed.digest}, {pushed.size} bytes of manifest.")


def _release(run: Run) -> None:
    operation = run.operation
    tag, path = operation.parameters["tag"], _path(operation)
    with wiring.registry_for(_repository(operation).account) as registry:
        try:
            manifest = _staged_manifest(registry, run)
            _move(registry, path, tag, manifest)
            run.say(f"{tag} points to {manifest.digest} now.")
            run.result["staging"] = _remove_staging_quietly(registry, operation)
            run.say(run.result["staging"])
            if registry.tag_digest(path, tag) != manifest.digest:
                run.say(f"The registry had removed {tag} together with the staging tag; it is put back.")
                _move(registry, path, tag, manifest)
        except RegistryError as error:
            raise _not_moved(operation, tag, error) from error
    run.result["released"] = True


def _staged_manifest(registry: Registry, run: Run) -> Manifest:
    """Read back what was pushed: the very digest and length that are signed."""
    digest, length = run.result["digest"], run.result["length"]
    manifest = registry.manifest(_path(run.operation), digest)
    if manifest is None:
        raise BadRegistryAnswer(f"The registry does not hold {digest}.", next_step="Publish the image again.")
    if manifest.size != length:
        raise BadRegistryAnswer(f"The manifest {digest} has {manifest.size} bytes in the registry, not {length}.")
    return manifest


def _move(registry: Registry, path: str, tag: str, manifest: Manifest) -> None:
    """Let the public tag mean the manifest, and look; an answer lost after it moved counts as moved."""
    try:
        registry.put_manifest(path, tag, manifest)
    except RegistryError:
        if not _has_moved(registry, path, tag, manifest.digest):
            raise
    _require_moved(registry, path, tag, manifest)


def _require_moved(registry: Registry, path: str, tag: str, manifest: Manifest) -> None:
    found = registry.tag_digest(path, tag)
    if found != manifest.digest:
        raise BadRegistryAnswer(f"The registry says {tag} points to {found}, not to {manifest.digest}.")


def _has_moved(registry: Registry, path: str, tag: str, digest: str) -> bool:
    """Look whether an answer was lost on the way back; an unreachable registry counts as no."""
    try:
        return registry.tag_digest(path, tag) == digest
    except RegistryError:
        return False


def _not_moved(operation: Operation, tag: str, cause: RegistryError) -> RegistryError:
    if operation.is_signature_stored:
        sentence = f"The signature is stored, but the tag {tag} was not moved: the old one still stands."
    else:
        sentence = f"The tag {tag} was not moved: the old one still stands."
    error = RegistryError(f"{sentence} {cause.message}", next_step=cause.next_step)
    error.code = cause.code
    return error


def _verified_digest(run: Run, account: Account, name: ImageName) -> str | None:
    """Return the signed digest; None where there is none and the account does not insist.

    Raises:
        NoSuchTarget: the account enforces trust and the source is not signed.
        TrustError: its trust data does not verify.
    """
    source = _plain_name(name)
    try:
        found = _released(_trusted_source(account, str(name.gun)), name)
        run.say(f"{source} is signed by {', '.join(found.signers) or 'the repository key'}.")
        return f"sha256:{found.digest_hex}"
    except (NoSuchTarget, NoTrustData) as error:
        reason = error.message
    except ServerUnreachable as error:
        if account.enforces_trust:
            raise
        reason = error.message
    if account.enforces_trust:
        raise NoSuchTarget(
            f"{source} is refused because {account} enforces trust. {reason}",
            next_step="Have it signed first, or choose a signed tag.",
        )
    run.say(f"{source} is taken without a signature. {reason}")
    return None


def _released(trusted: TrustedRepository, name: ImageName) -> ReleasedTag:
    """Find the release a name means, as a pull with content trust would; by digest it has to be one of those."""
    if name.digest is None:
        return trusted.find_released(name.tag or "")
    return trusted.find_digest(name.digest.removeprefix("sha256:"))


def _trusted_source(account: Account, gun: str) -> TrustedRepository:
    repository = Repository.objects.filter(gun=gun).first()
    cache = StoredTrustCache(repository) if repository else MemoryCache()
    with wiring.transport_for(account.trust_server) as transport:
        return refresh_trust(Gun.parse(gun), transport, cache, must_reach_server=True)


def _remove_staging_quietly(registry: Registry, operation: Operation) -> str:
    """Remove the staging tag; the tag has moved, so a failure here is told and no more."""
    try:
        return _remove_staging(registry, operation)
    except RegistryError as error:
        return f"The staging tag {operation.staging_tag} could not be removed: {error.message}"


def _remove_staging(registry: Registry, operation: Operation) -> str:
    if registry.delete_tag(_path(operation), operation.staging_tag):
        return f"The staging tag {operation.staging_tag} is removed."
    return f"The registry does not delete, so an empty placeholder stays under {operation.staging_tag}."


def _repository(operation: Operation) -> Repository:
    if operation.repository is None:
        raise NoSuchTarget("The repository was removed meanwhile.")
    return operation.repository


def _path(operation: Operation) -> str:
    return _repository(operation).gun.partition("/")[2]


def _plain_name(name: ImageName) -> str:
    return f"{name.gun}:{name.tag}" if name.tag else f"{name.gun}@{name.digest}"
