"""Write to a repository with every verb of `docker trust` and `notary`; each publishes, then proves it by reading back.

How to publish is `publishing`; what each verb plans is `tags`, `delegations`, `witnessing`, `rotation` and `founding`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from signing.trust.errors import InvalidInput, NoTrustData, PublishRejected
from signing.trust.keystore.base import KeyStore, PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary import delegations, finishing, founding, replacing, rotation, tags, witnessing
from signing.trust.notary.cache import TrustCache
from signing.trust.notary.changelist import Change
from signing.trust.notary.gun import Gun
from signing.trust.notary.pinning import TOFU, Pinning
from signing.trust.notary.prepared import PreparedFile
from signing.trust.notary.publishing import Guard, Published, Publisher, let_pass, nothing_more
from signing.trust.notary.transport import Transport
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update, from_draft, renewed
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Target

__all__ = ["Published", "Repository"]


class Repository:
    """One GUN on one trust server, with the keys that may sign for it.

    Every verb raises, beside what it names:
        CannotSign: too few keys of a role are at hand; it names the missing ones.
        SignaturesMissing: holders elsewhere have to sign what is prepared; only where the store has an `AbsentKey`.
        PublishRejected: the server refused the update, or took it and does not show it.
        VersionConflict: somebody else published in between, five times.
        TrustError: whatever does not verify, by name.

    Where tags would stop verifying or a role could not be signed any more, a verb with `force` raises NotConfirmed
    unless that is set. Files that would lose signatures are signed anew in the same publish where a key is at hand.
    """

    def __init__(
        self,
        gun: Gun,
        transport: Transport,
        cache: TrustCache,
        keystore: KeyStore,
        *,
        pinning: Pinning = TOFU,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        guard: Guard = let_pass,
    ) -> None:
        """Open it; a `guard` sees what a verb is about to sign, and what is there after it, and raises to refuse."""
        self.gun = gun
        self._publisher = Publisher(gun, transport, cache, keystore, pinning, now, guard)

    def refresh(self) -> TrustedRepository:
        """Fetch and verify the newest state; the server has to answer.

        Raises:
            NoTrustData: the repository was never initialised.
        """
        return self._publisher.refresh()

    def initialise(self) -> Published:
        """Create the trust data of a repository that has none, without signers; nothing changes where it has some.

        The root key is the first one in the store, or a new one. New keys are kept before anything is sent.
        """
        try:
            return Published({}, self.refresh())
        except NoTrustData:
            return founding.initialise(self._publisher, [], nothing_more)

    def add_signer(self, name: str, keys: Sequence[PublicKey]) -> Published:
        """Let `keys` sign as `name`, initialising the repository where there is no trust data yet (reference 5.1).

        Raises:
            InvalidInput: a name the format forbids, or no key.
        """
        changes = delegations.adding_signer(name, keys)
        wanted = [key.canonical_id for key in keys]

        def proof(after: TrustedRepository) -> bool:
            return delegations.has_signer(after, name, wanted)

        try:
            return self._publisher.publish(lambda _: changes, proof)
        except NoTrustData:
            return founding.initialise(self._publisher, changes, proof)

    def remove_signer(self, name: str, *, force: bool = False) -> Published:
        """Take a signer away, with the keys only that signer has from `targets/releases` (reference 5.4).

        Since version 26 docker only says that it does. What was released stays so: `targets/releases` is signed anew
        with a remaining key if one is at hand.

        Raises:
            NoSuchSigner: there is no such signer.
        """
        return self._publisher.publish(
            lambda before: delegations.removing_signer(before, name),
            lambda after: name not in dict(after.signers()),
            force=force,
        )

    def replace_signer_keys(
        self, name: str, keys: Sequence[PublicKey], old: Collection[str] = (), *, force: bool = False
    ) -> Published:
        """Let `keys` sign as `name` instead of the keys `old`, by canonical id, or of all it has.

        Raises:
            NoSuchSigner: there is no such signer, or it does not have an old key.
        """
        gone = {*old} - {key.canonical_id for key in keys}

        def proof(after: TrustedRepository) -> bool:
            listed = set(dict(after.signers()).get(name, []))
            new = {key.canonical_id for key in keys}
            return new <= listed and (not gone & listed if old else listed == new)

        return self._publisher.publish(
            lambda before: delegations.replacing_signer_keys(before, name, keys, old), proof, force=force
        )

    def sign(self, targets: Sequence[Target], *, into: Sequence[str] = ()) -> Published:
        """Sign tags, many in one publish: in the roles `into`, else in every role whose key is in the store.

        With delegations these are `targets/releases` and the signer's own; without any it is `targets` (reference 5.2).

        Raises:
            NoTrustData: the repository was never initialised.
            CannotSign: no key in the store may sign.
        """
        if not targets:
            raise InvalidInput("There is no tag to sign.", next_step="Name at least one tag.")
        held = self._publisher.held
        return self._publisher.publish(
            lambda before: tags.signing(before, held, targets, into), lambda after: tags.is_signed(after, targets, into)
        )

    def plan_sign(self, targets: Sequence[Target], *, into: Sequence[str] = ()) -> list[Change]:
        """Give the changes that `sign` would publish now, for staging them."""
        return tags.signing(self.refresh(), self._publisher.held, targets, into)

    def plan_revoke(self, names: Sequence[str] = ()) -> list[Change]:
        """Give the changes that `revoke` would publish now, for staging them."""
        return tags.revoking(self.refresh(), self._publisher.held, names)

    def require_signable(self, tag: str, *, into: Sequence[str] = ()) -> None:
        """Raise unless the keys at hand may sign a tag, and open them; for what must not happen in vain before.

        Raises:
            CannotSign: they may not.
            WrongPassphrase: one does not open.
        """
        held, before = self._publisher.held, self.refresh()
        for role in into or tags.roles_to_sign(before, held, tag):
            for _, key in held.require(tags.role_of(before, role)):
                held.open(key.canonical_id)

    def revoke(self, names: Sequence[str] = ()) -> Published:
        """Withdraw tags, or all of them: they are not released any more (reference 5.3). Signers and keys stay.

        Raises:
            NoSuchTarget: one of the tags is not signed.
        """
        held = self._publisher.held
        return self._publisher.publish(
            lambda before: tags.revoking(before, held, names), lambda after: tags.is_revoked(after, names)
        )

    def apply(self, changes: Sequence[Change], *, force: bool = False) -> Published:
        """Publish changes as they are: staged ones, or those of delegations; proved by reading the files back.

        Raises:
            NotFound: a role to change does not exist.
            MalformedMetadata: a change that cannot be made.
        """
        witnessed = [change.role for change in changes if change.kind == "witness"]

        def plan(before: TrustedRepository) -> list[Change]:
            witnessing.require_witnessable(self._publisher, before, witnessed)
            return list(changes)

        return self._publisher.publish(plan, force=force)

    def witness(self, names: Sequence[str]) -> Published:
        """Sign the files of roles anew, expired ones and ones that lost their signatures included.

        `targets` and delegations hold for three years again, `root` for ten.

        Raises:
            NotFound: there is no such role, or it has no file.
        """
        publisher = self._publisher
        checked = [witnessing.check_witnessed(name) for name in dict.fromkeys(names)]

        def build(before: TrustedRepository) -> Update:
            draft = publisher.draft(before)
            witnessing.require_witnessable(publisher, before, checked)
            for name in checked:
                if name != roles.ROOT:
                    draft.apply(Change.witness(name))
            root = renewed(before.root, publisher.now()) if roles.ROOT in checked else None
            return Update(from_draft(draft, root or before.root).files, root)

        return publisher.publish_update(
            build, lambda after: not set(checked) & after.left_out.keys(), even_expired=checked
        )

    def rotate(self, role: str, keys: Sequence[PrivateKey] = (), *, to_server: bool = False) -> Published:
        """Give root, targets, snapshot or timestamp new keys: those given, else new ones; see `rotation.rotate`."""
        return rotation.rotate(self._publisher, role, keys, to_server=to_server)

    def publish_prepared(self, files: Sequence[PreparedFile]) -> Published:
        """Publish what a verb prepared (`SignaturesMissing`) and its holders have signed since.

        Raises:
            VersionConflict: the repository changed since; call the verb again.
            KeyStoreError: a signature is not one of these bytes.
            UnmetThreshold: too few keys signed.
        """
        return finishing.publish_prepared(self._publisher, files)

    def replace_key(self, old: str, new: PublicKey) -> Published:
        """Put `new`, which the store has to hold, in the place of the key `old`, by canonical id, in every role.

        What the old key signed is signed anew with the new one, in the same publish and once: where no role lists the
        old key any more, nothing is published. A root that lists it is signed by the old and the new key.

        Raises:
            NotConfirmed: tags would stop verifying, or a role could not be signed any more.
        """
        publisher, certificates = self._publisher, list[PublicKey]()

        def build(before: TrustedRepository) -> Update:
            if not certificates and replacing.needs_certificate(before, old):
                private = publisher.keystore.open(new.canonical_id)
                certificates.append(root_certificate(private, str(self.gun), publisher.now()))
            certificate = certificates[0] if certificates else None
            draft = publisher.draft(before)
            return replacing.replacement_update(draft, before, old, new, certificate, publisher.held, publisher.now())

        return publisher.publish_update(build, lambda after: not replacing.uses_of(after, old))

    def delete(self) -> bool:
        """Delete the trust data on the server and what is remembered here; False if neither had any. Keys stay.

        Any other client of the Go tools that remembers the repository makes it anew when it publishes next.

        Raises:
            PublishRejected: the server says it did and did not.
        """
        publisher = self._publisher
        had = publisher.transport.get(self.gun, "root.json") is not None or publisher.cache.load(roles.ROOT) is not None
        publisher.transport.delete(self.gun)
        if publisher.transport.get(self.gun, "root.json") is not None:
            raise PublishRejected(f"The trust server took the deletion of {self.gun}, but still shows it.")
        publisher.cache.clear()
        return had
