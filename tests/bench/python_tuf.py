"""Verifying one role beside python-tuf, each in its own format: Notary's metadata is not what python-tuf reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, TargetFile
from tuf.api.metadata import Targets as TheirTargets

from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.verification import open_signed
from signing.trust.tuf.metadata import Envelope, Target, Targets
from signing.trust.tuf.roles import Role
from tests.bench.content import tags
from tests.bench.pairs import Figure, compare

TAGS = 10_000
PAIRS = 7


def verify_role() -> Figure:
    """Read and verify a file of 10,000 targets from its bytes; every target's digest is at hand then."""
    ours, role = _ours()
    theirs, root = _theirs()

    def read_ours() -> None:
        file = open_signed(Targets, role, ours)[1]
        assert len(file.targets) == TAGS

    def read_theirs() -> None:
        file = Metadata[TheirTargets].from_bytes(theirs)
        root.verify_delegate("targets", file.signed_bytes, file.signatures)
        assert len(file.signed.targets) == TAGS

    return compare(
        f"verify one role of {TAGS:,} targets", ours=read_ours, peer=read_theirs, peer_name="python-tuf", runs=PAIRS
    )


def _ours() -> tuple[bytes, Role]:
    key = PrivateKey.generate()
    listed = {name: Target.from_digest(name, digest, size) for name, (digest, size) in tags(TAGS).items()}
    made = Targets(version=1, expires=datetime.now(UTC) + timedelta(days=9), targets=listed)
    payload = Envelope.build(made.to_signed(), ()).payload
    data = Envelope.build(made.to_signed(), (key.signature(key.key_id, payload),)).raw
    return data, Role("targets", {key.key_id: key.public}, 1)


def _theirs() -> tuple[bytes, Root]:
    signer = CryptoSigner.generate_ecdsa()
    listed = {name: TargetFile(size, {"sha256": digest}, name) for name, (digest, size) in tags(TAGS).items()}
    file = Metadata(TheirTargets(targets=listed, expires=datetime.now(UTC) + timedelta(days=9)))
    file.sign(signer)
    root = Root()
    root.add_key(signer.public_key, "targets")
    return file.to_bytes(), root
