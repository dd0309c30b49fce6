"""The root of trust: what may follow it, which certificates hold, what a pin allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from signing.trust.errors import (
    ExpiredMetadata,
    InvalidKey,
    KeyIdMismatch,
    MalformedMetadata,
    Rollback,
    ServerUnreachable,
    TrustError,
    UnmetThreshold,
    UntrustedRoot,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.pinning import Pinning, read_authorities
from signing.trust.notary.root_certificates import check_certificate
from signing.trust.notary.root_rules import check_root, read_root
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import RoleKeys
from tests.simulator import GUN, NOON, Clock, Owner, Simulator, signed_as
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.samples import DATA
from tests.unit.trust.samples import GUN as SAMPLE_GUN


def rotated(owner: Owner, times: int = 1) -> None:
    for _ in range(times):
        owner.publish({roles.ROOT: owner.rotate_root()})


# Following a rotation


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_reader_follows_rotations_of_the_root(times: int, reader: Reader, owner: Owner) -> None:
    rotated(owner, times)
    assert reader.refresh().root.version == 1 + times
    assert reader.cache.load(roles.ROOT) == owner.simulator.said(GUN, roles.ROOT)


def test_one_rotation_needs_no_steps_between(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    rotated(owner)
    simulator.asked.clear()
    reader.refresh()
    assert "2.root.json" not in simulator.asked


def test_a_rotation_is_noticed_though_no_other_key_changed(reader: Reader, owner: Owner) -> None:
    """The snapshot names the root's hash, so an old root cannot be kept alive beside new files."""
    rotated(owner)
    assert reader.refresh().administrative_keys()["root"] == [owner.certificate.key_id]


@pytest.mark.parametrize("role", [roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP])
def test_a_reader_follows_other_rotated_keys(role: str, reader: Reader, owner: Owner) -> None:
    root = owner.rotate(role)
    owner.publish({roles.ROOT: root, roles.TARGETS: owner.next_file(roles.TARGETS)})
    assert reader.refresh().root.version == 2


def test_a_root_that_skips_steps_nobody_shows_is_untrusted(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    rotated(owner, 3)
    simulator.lies["2.root.json"] = None
    with pytest.raises(UntrustedRoot, match="does not show version 2"):
        reader.refresh()


def test_a_step_that_is_another_version_is_untrusted(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    rotated(owner, 3)
    simulator.lies["2.root.json"] = simulator.get(GUN, "3.root.json")
    with pytest.raises(UntrustedRoot, match="gave another"):
        reader.refresh()


def test_a_strangers_own_chain_leads_nowhere(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    """Each of its roots signs the next, but the known root signed none of them."""
    stranger = Owner(simulator, owner.now)
    for _ in range(3):
        owner.put({roles.ROOT: stranger.rotate_root()})
    with pytest.raises(UntrustedRoot, match="was replaced"):
        reader.refresh()


def test_an_endless_chain_is_not_followed(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    stranger = Owner(simulator, owner.now)
    stranger.root = replace(stranger.root, version=10**9)
    owner.put({roles.ROOT: stranger.signed_root()})
    simulator.asked.clear()
    with pytest.raises(UntrustedRoot, match="claims version"):
        reader.refresh()
    assert len(simulator.asked) < 10


def test_a_step_whose_time_is_over_still_leads_on(reader: Reader, owner: Owner, clock: Clock) -> None:
    owner.put({roles.ROOT: owner.rotate_root(expires=clock() + timedelta(days=1))})
    owner.put({roles.ROOT: owner.rotate_root(expires=clock() + timedelta(days=3650))})
    clock.advance(days=2)
    assert reader.refresh().root.version == 3


def test_a_remembered_root_whose_time_is_over_leads_to_the_new_one(reader: Reader, owner: Owner, clock: Clock) -> None:
    clock.advance(days=3640)
    root = owner.rotate_root(expires=clock() + timedelta(days=3650))
    owner.publish({roles.ROOT: root, roles.TARGETS: owner.next_file(roles.TARGETS)})
    clock.advance(days=20)  # the first root and its certificate are over, the second was made in time
    assert reader.refresh().root.version == 2


def test_a_remembered_root_whose_time_is_over_does_not_count_itself(
    reader: Reader, simulator: Simulator, clock: Clock
) -> None:
    clock.advance(days=3660)
    with pytest.raises(ExpiredMetadata):
        reader.refresh()
    simulator.fault = ServerUnreachable("no answer")
    with pytest.raises(ServerUnreachable):
        reader.refresh()


# Refusing another root


def test_a_root_not_signed_by_the_known_key_is_untrusted(reader: Reader, owner: Owner) -> None:
    known = owner.certificate.key_id
    owner.rotate_root()
    owner.put({roles.ROOT: owner.signed_root()})

    with pytest.raises(UntrustedRoot) as caught:
        reader.refresh()

    assert caught.value.detail["old_key_ids"] == [known]
    assert caught.value.detail["new_key_ids"] == [owner.certificate.key_id]
    assert known[:16] in caught.value.message
    assert owner.certificate.key_id[:16] in caught.value.message


def test_a_root_signed_by_the_known_key_alone_is_refused(reader: Reader, owner: Owner) -> None:
    old = (owner.certificate.key_id, owner.root_key)
    owner.rotate_root()
    owner.put({roles.ROOT: signed_as(owner.root, old)})
    with pytest.raises(UnmetThreshold, match="root"):
        reader.refresh()


def test_the_previous_threshold_counts(reader: Reader, owner: Owner) -> None:
    """Two keys had to sign the known root, so one of them cannot lead to another."""
    second = PrivateKey.generate()
    certificate = root_certificate(second, GUN, NOON)
    both = RoleKeys((owner.certificate.key_id, certificate.key_id), 2)
    owner.root = replace(
        owner.root,
        version=2,
        keys={**owner.root.keys, certificate.key_id: certificate},
        roles={**owner.root.roles, roles.ROOT: both},
    )
    owner.put({roles.ROOT: owner.signed_root((certificate.key_id, second))})
    assert reader.refresh().root.version == 2

    owner.put({roles.ROOT: owner.rotate_root()})
    with pytest.raises(UntrustedRoot):
        reader.refresh()


def test_an_older_root_is_a_rollback(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    before = simulator.state()
    rotated(owner)
    reader.refresh()
    simulator.restore(before)
    with pytest.raises(Rollback):
        reader.refresh(must_reach_server=True)


def test_another_root_of_the_same_version_is_refused(reader: Reader, owner: Owner, clock: Clock) -> None:
    owner.root = replace(owner.root, expires=clock() + timedelta(days=4000))
    owner.put({roles.ROOT: owner.signed_root()})
    with pytest.raises(Rollback, match="another version 1 of the root"):
        reader.refresh()


def test_a_root_found_on_the_way_has_to_follow_the_one_found_first(newcomer: Reader, owner: Owner) -> None:
    """Trust on first use is for one root: the retry after an error does not get a second first use."""
    simulator = owner.simulator
    stranger = Owner(simulator, owner.now)
    stranger.root = replace(stranger.root, version=2)
    simulator.lies["timestamp.json"] = b"{}"
    answers = [simulator.said(GUN, roles.ROOT), stranger.signed_root().raw]
    truth = simulator.get

    def two_roots(gun: str, name: str, limit: int | None = None) -> bytes | None:
        return answers.pop(0) if name == "root.json" else truth(gun, name, limit)

    simulator.get = two_roots  # type: ignore[method-assign]
    with pytest.raises(UntrustedRoot):
        newcomer.refresh()
    assert answers == []


def test_a_damaged_remembered_root_ends_everything(reader: Reader, owner: Owner) -> None:
    """It may hide an attack: going on would mean to trust the next root on first use."""
    for damage in (b"", b"{}", owner.simulator.said(GUN, roles.TARGETS)):
        reader.cache.store(roles.ROOT, damage)
        with pytest.raises(UntrustedRoot, match="remembered"):
            reader.refresh()


def test_a_root_whose_certificate_is_over_does_not_count(owner: Owner, clock: Clock) -> None:
    root = replace(owner.root, expires=clock() + timedelta(days=9999))
    offered = read_root(signed_as(root, (owner.certificate.key_id, owner.root_key)).raw)
    clock.advance(days=3651)
    with pytest.raises(ExpiredMetadata, match="certificate"):
        check_root(offered, GUN, clock())
    check_root(offered, GUN, clock(), expiry_counts=False)


def test_a_root_older_than_its_predecessor_is_a_rollback(owner: Owner) -> None:
    with pytest.raises(Rollback):
        check_root(read_root(owner.signed_root().raw), GUN, NOON, previous=replace(owner.root, version=2))


def test_a_key_certified_for_another_gun_leads_to_no_successor(owner: Owner) -> None:
    """It was listed in the known root, but never was one of its keys."""
    other_key = PrivateKey.generate()
    other = root_certificate(other_key, "registry.example/other", NOON)
    both = RoleKeys((owner.certificate.key_id, other.key_id), 1)
    known = replace(
        owner.root, keys={**owner.root.keys, other.key_id: other}, roles={**owner.root.roles, roles.ROOT: both}
    )
    owner.rotate_root()
    offered = read_root(owner.signed_root((other.key_id, other_key)).raw)
    with pytest.raises(UntrustedRoot, match="was replaced"):
        check_root(offered, GUN, NOON, previous=known)


def test_two_certificates_around_one_key_count_once(owner: Owner) -> None:
    again = root_certificate(owner.root_key, GUN, NOON + timedelta(hours=1))
    root = replace(
        owner.root,
        keys={**owner.root.keys, again.key_id: again},
        roles={**owner.root.roles, roles.ROOT: RoleKeys((owner.certificate.key_id, again.key_id), 2)},
    )
    keys = [(owner.certificate.key_id, owner.root_key), (again.key_id, owner.root_key)]
    with pytest.raises(UnmetThreshold):
        check_root(read_root(signed_as(root, *keys).raw), GUN, NOON)


def test_bare_keys_never_count_for_root(owner: Owner) -> None:
    bare = owner.root_key.public
    root = replace(
        owner.root,
        keys={**owner.root.keys, bare.key_id: bare},
        roles={**owner.root.roles, roles.ROOT: RoleKeys((bare.key_id,), 1)},
    )
    with pytest.raises(UntrustedRoot, match="no certificate"):
        check_root(read_root(signed_as(root, (bare.key_id, owner.root_key)).raw), GUN, NOON)


def test_a_certificate_under_a_foreign_id_is_refused(owner: Owner) -> None:
    wrong = "ab" * 32
    root = replace(
        owner.root,
        keys={**owner.root.keys, wrong: owner.certificate},
        roles={**owner.root.roles, roles.ROOT: RoleKeys((wrong,), 1)},
    )
    with pytest.raises(KeyIdMismatch):
        check_root(read_root(signed_as(root, (wrong, owner.root_key)).raw), GUN, NOON)


def test_dockers_own_rotation_is_accepted() -> None:
    first = read_root((DATA / "metadata" / "root.v1.json").read_bytes())
    second = read_root((DATA / "metadata" / "root.v2-after-rotation.json").read_bytes())
    check_root(first, SAMPLE_GUN, NOON)
    check_root(second, SAMPLE_GUN, NOON, previous=first.root)
    with pytest.raises(UntrustedRoot):
        check_root(first, SAMPLE_GUN, NOON, previous=second.root)


@pytest.mark.parametrize("missing", roles.BASE_ROLES)
def test_a_root_without_one_of_the_roles_is_malformed(missing: str, owner: Owner) -> None:
    envelope = owner.signed_root()
    del envelope.signed["roles"][missing]
    with pytest.raises(MalformedMetadata):
        read_root(type(envelope).build(envelope.signed, envelope.signatures).raw)


# Certificates


def certificate(
    key: Any = None,
    *,
    name: str | list[str] = GUN,
    begin: datetime = NOON,
    end: datetime = NOON + timedelta(days=3650),
    algorithm: Any = None,
    authority: bool | None = False,
    issuer: tuple[x509.Certificate, Any] | None = None,
    path_length: int | None = None,
    may_sign_others: bool | None = None,
) -> x509.Certificate:
    """Make a certificate that may be wrong in one way."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    names = [name] if isinstance(name, str) else name
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, item) for item in names])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    if may_sign_others is not None:
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
        usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        usage |= {"digital_signature": True, "key_cert_sign": may_sign_others}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    return builder.sign(issuer[1] if issuer else key, algorithm or hashes.SHA256())


def bundle(*certificates: x509.Certificate) -> PublicKey:
    return PublicKey.from_certificates(list(certificates))


def pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def typed(keytype: str, *certificates: x509.Certificate) -> PublicKey:
    """A key as metadata may claim it, without the checks of our own writer."""
    return PublicKey(keytype, b"".join(pem(item) for item in certificates))


LEAF_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
WEAK_RSA_KEY = rsa.generate_private_key(65537, 1024)
CA_KEY = ec.generate_private_key(ec.SECP256R1())
CA = certificate(CA_KEY, name="An authority", authority=True)

HOLDING: dict[str, PublicKey] = {
    "as docker makes it": root_certificate(PrivateKey.generate(), GUN, NOON),
    "a star for a prefix": bundle(certificate(name="registry.example/team/*")),
    "made on a clock ten hours ahead": bundle(certificate(begin=NOON + timedelta(hours=10))),
    "made by an authority": bundle(certificate(issuer=(CA, CA_KEY)), CA),
    "RSA": bundle(certificate(RSA_KEY)),
    "without basic constraints": bundle(certificate(authority=None)),
    "ending this second": bundle(certificate(begin=NOON - timedelta(days=1), end=NOON)),
}


@pytest.mark.parametrize("key", HOLDING.values(), ids=HOLDING)
def test_a_certificate_that_holds(key: PublicKey) -> None:
    check_certificate(key, GUN, NOON)


LEAF = certificate(LEAF_KEY)
NOT_HOLDING: dict[str, tuple[Callable[[], PublicKey], type[TrustError]]] = {
    "for another GUN": (lambda: bundle(certificate(name="registry.example/team/other")), UntrustedRoot),
    "for a longer GUN": (lambda: bundle(certificate(name=GUN + "le")), UntrustedRoot),
    "a prefix without a star": (lambda: bundle(certificate(name="registry.example/team/")), UntrustedRoot),
    "a star for another prefix": (lambda: bundle(certificate(name="registry.example/other/*")), UntrustedRoot),
    "two names": (lambda: bundle(certificate(name=["other", GUN])), UntrustedRoot),
    "two names, the other last": (lambda: bundle(certificate(name=[GUN, "other"])), UntrustedRoot),
    "expired": (
        lambda: bundle(certificate(begin=NOON - timedelta(days=9), end=NOON - timedelta(seconds=1))),
        ExpiredMetadata,
    ),
    "from in two days": (lambda: bundle(certificate(begin=NOON + timedelta(days=2))), UntrustedRoot),
    "SHA-1": (lambda: typed("rsa-x509", sha1_certificate()), UntrustedRoot),
    "RSA 1024": (lambda: typed("rsa-x509", certificate(WEAK_RSA_KEY)), UntrustedRoot),
    "an authority itself": (lambda: bundle(certificate(authority=True)), UntrustedRoot),
    "the authority first": (lambda: typed("ecdsa-x509", CA, LEAF), UntrustedRoot),
    "two leaves": (lambda: bundle(LEAF, certificate(name=GUN)), UntrustedRoot),
    "another type than it says": (lambda: typed("rsa-x509", LEAF), UntrustedRoot),
    "no certificate at all": (lambda: PublicKey("ecdsa-x509", b"not PEM"), UntrustedRoot),
}


def sha1_certificate() -> x509.Certificate:
    """A certificate signed with SHA-1, which the library no longer makes."""
    return x509.load_pem_x509_certificate(SHA1_PEM)


@pytest.mark.parametrize(("key", "refusal"), NOT_HOLDING.values(), ids=NOT_HOLDING)
def test_a_certificate_that_does_not_hold(key: Callable[[], PublicKey], refusal: type[TrustError]) -> None:
    with pytest.raises(refusal) as caught:
        check_certificate(key(), GUN, NOON)
    assert type(caught.value) is refusal


def test_a_gun_longer_than_a_common_name_should_be_holds() -> None:
    gun = "registry.example/" + "/".join(["team"] * 20)
    check_certificate(root_certificate(PrivateKey.generate(), gun, NOON), gun, NOON)


def test_whether_a_previous_certificate_expired_does_not_matter() -> None:
    check_certificate(bundle(certificate(begin=NOON - timedelta(days=9), end=NOON - timedelta(days=1))), GUN, None)


# Pins


def signed_with(key: Any, *certificates: x509.Certificate) -> Any:
    """A root whose root key has these certificates."""
    owner = Owner(Simulator(), Clock(), root_key=PrivateKey(key))
    public = bundle(*certificates)
    owner.root = replace(
        owner.root,
        keys={**owner.root.keys, public.key_id: public},
        roles={**owner.root.roles, roles.ROOT: RoleKeys((public.key_id,), 1)},
    )
    return read_root(signed_as(owner.root, (public.key_id, owner.root_key)).raw), public


ROOT, ROOT_CERTIFICATE = signed_with(LEAF_KEY, LEAF)
STRANGER = frozenset({"00" * 32})

KEY_PINS: dict[str, tuple[dict[str, frozenset[str]], bool]] = {
    "the certificate's id": ({GUN: frozenset({ROOT_CERTIFICATE.key_id})}, True),
    "the key's id": ({GUN: frozenset({ROOT_CERTIFICATE.canonical_id})}, True),
    "for a prefix": ({"registry.example/*": frozenset({ROOT_CERTIFICATE.key_id})}, True),
    "for another repository": ({"registry.example/other": STRANGER}, True),
    "another key": ({GUN: STRANGER}, False),
    "another key for a prefix": ({"registry.example/*": STRANGER}, False),
    "the exact name wins": (
        {GUN: STRANGER, "registry.example/*": frozenset({ROOT_CERTIFICATE.key_id})},
        False,
    ),
    "the longest prefix wins": (
        {"registry.example/team/*": STRANGER, "registry.example/*": frozenset({ROOT_CERTIFICATE.key_id})},
        False,
    ),
    "a prefix without a star is another name": ({"registry.example/": STRANGER}, True),
}


@pytest.mark.parametrize(("pins", "allowed"), KEY_PINS.values(), ids=KEY_PINS)
def test_a_pin_by_key(pins: dict[str, frozenset[str]], allowed: bool) -> None:
    pinning = Pinning(key_ids=pins)
    if allowed:
        check_root(ROOT, GUN, NOON, pinning=pinning)
    else:
        with pytest.raises(UntrustedRoot, match="pinned"):
            check_root(ROOT, GUN, NOON, pinning=pinning)


INNER_KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
INNER = certificate(INNER_KEY, name="Between", authority=True, issuer=(CA, CA_KEY))
NARROW_CA = certificate(CA_KEY, name="An authority", authority=True, path_length=0)
OLD_CA = certificate(CA_KEY, name="An authority", authority=True, end=NOON + timedelta(seconds=1))
IMPOSTOR = certificate(OTHER_KEY, name="An authority", authority=True)
SIGNS_NONE = certificate(CA_KEY, name="An authority", authority=True, may_sign_others=False)
SIGNS_OTHERS = certificate(CA_KEY, name="An authority", authority=True, may_sign_others=True)
NO_CA = certificate(CA_KEY, name="An authority", authority=False)
DIRECT = certificate(LEAF_KEY, issuer=(CA, CA_KEY))
INDIRECT = certificate(LEAF_KEY, issuer=(INNER, INNER_KEY))

AUTHORITY_PINS: dict[str, tuple[list[x509.Certificate], x509.Certificate, bool]] = {
    "issued by it": ([DIRECT], CA, True),
    "issued by one below it": ([INDIRECT, INNER], CA, True),
    "the one below is missing": ([INDIRECT], CA, False),
    "it may have none below": ([INDIRECT, INNER], NARROW_CA, False),
    "it may have none below, and has none": ([DIRECT], NARROW_CA, True),
    "its namesake": ([DIRECT], IMPOSTOR, False),
    "it is no authority": ([DIRECT], NO_CA, False),
    "its key may not sign certificates": ([DIRECT], SIGNS_NONE, False),
    "its key may sign certificates": ([DIRECT], SIGNS_OTHERS, True),
    "self-signed": ([LEAF], CA, False),
}


@pytest.mark.parametrize(("chain", "authority", "allowed"), AUTHORITY_PINS.values(), ids=AUTHORITY_PINS)
def test_a_pin_by_authority(chain: list[x509.Certificate], authority: x509.Certificate, allowed: bool) -> None:
    root, _ = signed_with(LEAF_KEY, *chain)
    pinning = Pinning(authorities={"registry.example/": read_authorities(pem(authority))})
    if allowed:
        check_root(root, GUN, NOON, pinning=pinning)
    else:
        with pytest.raises(UntrustedRoot, match="pinned"):
            check_root(root, GUN, NOON, pinning=pinning)


def test_an_authority_whose_time_is_over_vouches_for_nothing() -> None:
    root, _ = signed_with(LEAF_KEY, DIRECT)
    pinning = Pinning(authorities={"": (OLD_CA,)})
    check_root(root, GUN, NOON, pinning=pinning)
    with pytest.raises(UntrustedRoot):
        check_root(root, GUN, NOON + timedelta(minutes=1), pinning=pinning)


def test_the_longest_prefix_names_the_authority() -> None:
    root, _ = signed_with(LEAF_KEY, DIRECT)
    pins = {"": (IMPOSTOR,), "registry.example/": (IMPOSTOR,), "registry.example/team/": (CA,)}
    check_root(root, GUN, NOON, pinning=Pinning(authorities=pins))
    with pytest.raises(UntrustedRoot):
        check_root(root, GUN, NOON, pinning=Pinning(authorities={**pins, "registry.example/team/a": (IMPOSTOR,)}))


def test_key_pins_come_before_authorities() -> None:
    root, public = signed_with(LEAF_KEY, LEAF)
    check_root(root, GUN, NOON, pinning=Pinning({GUN: frozenset({public.key_id})}, {"": (CA,)}))


def test_authorities_have_to_be_certificates() -> None:
    with pytest.raises(InvalidKey):
        read_authorities(b"nothing")


def test_without_first_use_a_newcomer_trusts_pins_only(newcomer: Reader, owner: Owner) -> None:
    with pytest.raises(UntrustedRoot, match="not trusted unseen"):
        newcomer.refresh(pinning=Pinning(allows_first_use=False))
    pinned = Pinning({GUN: frozenset({owner.certificate.canonical_id})}, allows_first_use=False)
    assert newcomer.refresh(pinning=pinned).root.version == 1


def test_without_first_use_a_remembered_root_is_enough(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    reader.refresh(pinning=Pinning(allows_first_use=False))
    assert simulator.asked == ["timestamp.json"]
    rotated(owner)
    assert reader.refresh(pinning=Pinning(allows_first_use=False)).root.version == 2


def test_a_pin_set_later_refuses_the_remembered_root(reader: Reader) -> None:
    with pytest.raises(UntrustedRoot, match="pinned"):
        reader.refresh(pinning=Pinning({GUN: STRANGER}))


def test_a_pinned_successor_is_reached_over_unpinned_steps(reader: Reader, owner: Owner) -> None:
    rotated(owner, 3)
    owner.sign("v3", digest("three"), "alice")
    pinned = Pinning({GUN: frozenset({owner.certificate.key_id})})
    assert reader.refresh(pinning=pinned).root.version == 4


SHA1_PEM = b"""\
-----BEGIN CERTIFICATE-----
MIIDKTCCAhGgAwIBAgIUU6yBxLsRMqx5uujd3pJzqk1xNSkwDQYJKoZIhvcNAQEF
BQAwJDEiMCAGA1UEAwwZcmVnaXN0cnkuZXhhbXBsZS90ZWFtL2FwcDAeFw0yNjEx
MjQyMjM1MTBaFw0zNjExMjEyMjM1MTBaMCQxIjAgBgNVBAMMGXJlZ2lzdHJ5LmV4
YW1wbGUvdGVhbS9hcHAwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDx
6EOrc4KBqqVxsXTJQK4HMfXxuZ39j9y95jxghPVpcSVFiE8fJ51eRRq1zjWMmDpS
9rKRoG8CSn/61NNt694lgn7Qu3cLzOwLjnfBdf0jTWi8t5uDbk/E8KR/eK0HNcs0
ToDaIe5iUypja++t6CbmgjBKsSgYexYcO4Fb2WbceDJD/0gLh/83Bgba3S7A4X7B
dp28Br9m2SxTy1gWYbza6Jg5w58/45JOBuH5WDSHEz3vvQ3ejXormymyRPzgFN7l
L23d3K2PVYmEjbtxYXmhEMXykbWd3a11CiMx5h7ay1wUhkpsrKUChDmfUovTAqFO
J+PbVBdy9zil4nFHWk6FAgMBAAGjUzBRMB0GA1UdDgQWBBRfppSTZEECFXVNuysH
CBzAHO8z5jAfBgNVHSMEGDAWgBRfppSTZEECFXVNuysHCBzAHO8z5jAPBgNVHRMB
Af8EBTADAQH/MA0GCSqGSIb3DQEBBQUAA4IBAQAK3UE94JW1TsFqJZaC0HeLB+62
HOD0j96dEHeqMOLw1AHq6eOaL7VXuF+3adhJK1EM/+amDTHiRNsWSuoasXnSzVBx
gs6W77tjNFBjnqDjJSS5BUhaVmrkVAzbFFAFImooDrQ+PqoseJayDKeGuYOCXPqj
JoBj8S/LZVLAnY7rBSG8kwVQTPyZiSFv+zkTJKO/DISD7OMSlSsXiQIHanJW9teS
DTYzMjCJjhsbLmxYp05lyL0SeOYlKa6SI5GQ++Uihp0Y49kwYxRsVUlWyJ39pSaO
3UsUp/pwi1PqdF4AE0IpOpqcrE4tBTrSbtzqNfRJ0Hf8+eTkWk4I4IxCwBx0
-----END CERTIFICATE-----
"""
