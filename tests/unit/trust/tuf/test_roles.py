"""Names of roles and signers, and when enough different keys signed."""

from __future__ import annotations

import pytest

from signing.trust.errors import InvalidName, KeyIdMismatch, UnmetThreshold
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Signature
from signing.trust.tuf.roles import Role, check_role_name, check_signer_name, is_delegation, parent_of
from signing.trust.tuf.times import parse_time

SIGNED = {"_type": "Targets", "version": 1}
ALICE, BOB = PrivateKey.generate(), PrivateKey.generate()
NOW = parse_time("2026-11-24T00:00:00Z")


def signed_by(*signatures: Signature) -> Envelope:
    return Envelope.build(SIGNED, signatures)


def by(key: PrivateKey, keyid: str | None = None) -> Signature:
    return key.signature(keyid or key.key_id, Envelope.build(SIGNED, ()).payload)


def role(*keys: PrivateKey, threshold: int = 1) -> Role:
    return Role("targets/releases", {key.key_id: key.public for key in keys}, threshold)


def test_enough_different_keys() -> None:
    role(ALICE, BOB, threshold=2).require_threshold(signed_by(by(ALICE), by(BOB)))


def test_the_same_signature_twice_counts_once() -> None:
    with pytest.raises(UnmetThreshold) as caught:
        role(ALICE, BOB, threshold=2).require_threshold(signed_by(by(ALICE), by(ALICE)))
    assert (caught.value.detail["needed"], caught.value.detail["valid"]) == (2, 1)


def test_two_signatures_of_one_key_count_once() -> None:
    assert by(ALICE) != by(ALICE)  # ECDSA signatures are never the same
    with pytest.raises(UnmetThreshold):
        role(ALICE, threshold=2).require_threshold(signed_by(by(ALICE), by(ALICE), by(ALICE)))


def test_a_bare_key_and_its_certificate_count_once() -> None:
    certificate = root_certificate(ALICE, "registry.example.com/team/app", NOW)
    both = Role("targets", {ALICE.key_id: ALICE.public, certificate.key_id: certificate}, 2)
    with pytest.raises(UnmetThreshold):
        both.require_threshold(signed_by(by(ALICE), by(ALICE, certificate.key_id)))


def test_two_certificates_around_one_key_count_once() -> None:
    first = root_certificate(ALICE, "registry.example.com/team/app", NOW)
    second = root_certificate(ALICE, "registry.example.com/team/app", NOW)
    assert first.key_id != second.key_id
    both = Role("root", {first.key_id: first, second.key_id: second}, 2)
    with pytest.raises(UnmetThreshold):
        both.require_threshold(signed_by(by(ALICE, first.key_id), by(ALICE, second.key_id)))


def test_two_encodings_of_one_key_count_once() -> None:
    other = PublicKey("ecdsa", compressed(ALICE))
    assert other.verifies("ecdsa", by(ALICE).sig, signed_by().payload)
    assert other.key_id != ALICE.key_id
    both = Role("targets", {ALICE.key_id: ALICE.public, other.key_id: other}, 2)
    with pytest.raises(UnmetThreshold):
        both.require_threshold(signed_by(by(ALICE), by(ALICE, other.key_id)))


def compressed(key: PrivateKey) -> bytes:
    """Encode a P-256 key as SubjectPublicKeyInfo with a compressed point."""
    der = key.public.public
    point = der[-64:]
    sign = 2 + (point[-1] & 1)
    return bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + bytes([sign]) + point[:32]


def test_signatures_of_strangers_and_broken_ones_are_passed_over() -> None:
    stranger, broken = by(BOB), Signature(ALICE.key_id, "ecdsa", b"\0" * 64)
    role(ALICE).require_threshold(signed_by(stranger, broken, by(ALICE)))
    with pytest.raises(UnmetThreshold):
        role(ALICE).require_threshold(signed_by(stranger, broken))


def test_no_signature_at_all() -> None:
    with pytest.raises(UnmetThreshold):
        role(ALICE).require_threshold(signed_by())


def test_a_role_without_keys_is_never_met() -> None:
    with pytest.raises(UnmetThreshold):
        role().require_threshold(signed_by(by(ALICE)))


@pytest.mark.parametrize("threshold", [0, -1])
def test_a_threshold_below_one_is_never_met(threshold: int) -> None:
    with pytest.raises(UnmetThreshold):
        role(ALICE, threshold=threshold).require_threshold(signed_by(by(ALICE)))


def test_a_threshold_above_the_number_of_keys_is_never_met() -> None:
    with pytest.raises(UnmetThreshold):
        role(ALICE, threshold=2).require_threshold(signed_by(by(ALICE)))


def test_a_key_under_another_id_is_an_error_once_it_signs() -> None:
    lying = Role("targets", {"0" * 64: ALICE.public, BOB.key_id: BOB.public}, 1)
    lying.require_threshold(signed_by(by(BOB)))
    with pytest.raises(KeyIdMismatch):
        lying.require_threshold(signed_by(by(BOB), by(ALICE, "0" * 64)))


def test_one_key_under_two_ids_does_not_make_two() -> None:
    lying = Role("targets", {ALICE.key_id: ALICE.public, "0" * 64: ALICE.public}, 2)
    with pytest.raises(KeyIdMismatch):
        lying.require_threshold(signed_by(by(ALICE), by(ALICE, "0" * 64)))


def test_a_key_that_cannot_be_loaded_counts_for_nothing() -> None:
    broken = PublicKey("ecdsa", b"no key at all")
    with pytest.raises(UnmetThreshold):
        Role("targets", {broken.key_id: broken}, 1).require_threshold(signed_by(by(ALICE, broken.key_id)))


@pytest.mark.parametrize(
    "name", ["root", "targets", "snapshot", "timestamp", "targets/releases", "targets/a/b", "targets/-_9"]
)
def test_names_of_roles(name: str) -> None:
    assert check_role_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Root",
        "targets/",
        "targets//a",
        "/targets/a",
        "targets/a/",
        "targets/..",
        "targets/./a",
        "targets/A",
        "targets/a b",
        "targets/a.json",
        "targets/a\n",
        "targets/é",
        "targets/" + "a" * 248,
        "target/a",
        "releases",
        "targets\\a",
    ],
)
def test_names_that_are_no_roles(name: str) -> None:
    with pytest.raises(InvalidName):
        check_role_name(name)


def test_the_longest_name() -> None:
    assert is_delegation("targets/" + "a" * 247)


def test_base_roles_are_no_delegations() -> None:
    assert not any(is_delegation(name) for name in ("root", "targets", "snapshot", "timestamp"))


@pytest.mark.parametrize(("name", "parent"), [("targets/a", "targets"), ("targets/a/b", "targets/a")])
def test_parents(name: str, parent: str) -> None:
    assert parent_of(name) == parent


@pytest.mark.parametrize("name", ["alice", "9", "a-b_c", "a" * 247])
def test_names_of_signers(name: str) -> None:
    assert check_signer_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "releases", "Alice", "-a", "_a", "a/b", "a.b", "a b", "alice\n", "é", "a" * 248, "../a"]
)
def test_names_no_signer_can_have(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_signer_name(name)
    assert caught.value.next_step
    assert "\n" not in caught.value.message
