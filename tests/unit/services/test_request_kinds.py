"""What can be asked, what a policy wants of it, and the proof of possession."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.utils import timezone

from signing.errors import Conflict, NotAllowed, TooLate, WouldLockOut
from signing.models import AuditEvent, ChangeRequest, Happening, Key, Operation, Policy, SignedTag
from signing.selectors.policies import policy_of
from signing.selectors.requests import needs_proof, openssl_command, possession_command, waiting_for
from signing.services.operations import publish_image, sign_digest
from signing.services.requests import (
    approve_request,
    prove_possession,
    reject_request,
    renew_request,
    request_policy_change,
    request_revocation,
    request_rotation,
    request_signature,
    request_signer,
    request_signer_removal,
    retry_request,
    withdraw_request,
)
from signing.trust.errors import CannotSign, InvalidInput, NoSuchTarget
from signing.trust.keystore.base import PrivateKey
from signing.trust.policy.possession import PREFIX, check_challenge
from tests import factories, trust_data
from tests.factories import DIGEST, PASSPHRASE

WORDS = {"root": PASSPHRASE, "repository": PASSPHRASE, "new_root": "another"}


@pytest.fixture
def shop(cast):
    """A repository with trust data: alice signs it, and signed 1.0."""
    repository = factories.make_repository(cast.account, "shop")
    trust_data.publish(repository, cast.alice, tags=("1.0",))
    repository.refresh_from_db()
    return repository


def policy(cast, **fields):
    return Policy.objects.create(account=cast.account, **fields)


def sign(cast, shop, person, **fields):
    given = {"tag": "2.0", "digest": f"sha256:{DIGEST}", "length": 7, "signer": cast.alice} | fields
    return request_signature(actor=person, repository=shop, **given)


# signing


def test_where_approvals_are_wanted_a_signer_does_not_sign_or_publish_directly(cast, shop):
    policy(cast, needed_to_sign=1)
    given = {"actor": cast.signer, "repository": shop, "tag": "2.0", "signer": cast.alice, "passphrase": PASSPHRASE}
    for act in (
        lambda: sign_digest(digest=DIGEST, length=7, **given),
        lambda: publish_image(source="alpine:3", **given),
    ):
        with pytest.raises(NotAllowed, match="takes 1 approval") as refused:
            act()
        assert "ask" in refused.value.next_step
    assert not Operation.objects.exists()


def test_an_approved_signature_waits_for_its_signers_passphrase(cast, shop):
    request = sign(cast, shop, cast.developer)
    request = approve_request(actor=cast.lead, request=request, passphrases={"signer": PASSPHRASE})
    assert (request.state, request.items.get().operation) == ("approved", None)
    assert list(waiting_for(cast.signer)) == [request]
    for other in (cast.lead, cast.admin, cast.developer):
        with pytest.raises(NotAllowed, match="alice"):
            retry_request(actor=other, request=request, passphrases={"signer": PASSPHRASE})
    with pytest.raises(InvalidInput, match="passphrase"):
        retry_request(actor=cast.signer, request=request)
    retry_request(actor=cast.signer, request=request, passphrases={"signer": PASSPHRASE})
    assert request.items.get().operation.kind == "sign"
    assert not waiting_for(cast.signer)
    with pytest.raises(TooLate):
        retry_request(actor=cast.signer, request=request, passphrases={"signer": PASSPHRASE})
    assert Operation.objects.count() == 1


def test_an_unattended_key_signs_in_nobodys_name_without_them(cast, shop):
    key = factories.make_key(cast.account, name="bob", is_unattended=True)
    bob = factories.make_signer(cast.account, "bob", user=cast.other_lead, key=key)
    other = factories.make_repository(cast.account, "other")
    trust_data.publish(other, bob)
    other.refresh_from_db()
    request = approve_request(actor=cast.lead, request=sign(cast, other, cast.developer, signer=bob))
    assert request.items.get().operation is None
    retry_request(actor=cast.other_lead, request=request)
    assert request.items.get().operation
    own = sign(cast, other, cast.other_lead, signer=bob, tag="3.0")
    assert approve_request(actor=cast.lead, request=own).items.get().operation


def test_an_approval_does_not_last_for_ever(cast, shop):
    request = approve_request(actor=cast.lead, request=sign(cast, shop, cast.developer))
    ChangeRequest.objects.update(expires_at=timezone.now())
    with pytest.raises(TooLate, match="ended"):
        retry_request(actor=cast.signer, request=request, passphrases={"signer": PASSPHRASE})


def test_what_cannot_be_signed_is_refused_when_asked(cast, shop):
    eve = factories.make_signer(cast.account, "eve")
    with pytest.raises(CannotSign, match="never approved"):
        sign(cast, shop, cast.developer, signer=eve)
    cast.alice.key.custody = "client"
    cast.alice.key.save()
    assert sign(cast, shop, cast.developer).state == "waiting", "its holder signs at home"


# revoking, removing, rotating


def test_a_revocation_names_the_tag_and_whose_key_takes_it_back(cast, shop, one_event):
    with one_event("request_revocation"):
        request = request_revocation(actor=cast.developer, repository=shop, tag="1.0")
    item = request.items.get()
    assert item.affected_tags == ["1.0"]
    assert {line.split(" ")[1] for line in item.diff} == {"targets/alice", "targets/releases"}
    assert request.signer == cast.alice
    with pytest.raises(NoSuchTarget):
        request_revocation(actor=cast.developer, repository=shop, tag="9.9")
    with pytest.raises(Conflict, match="asked for"):
        request_revocation(actor=cast.signer, repository=shop, tag="1.0")


def test_a_removal_shows_the_tags_that_stop_verifying(cast, shop):
    request = request_signer_removal(actor=None, signer=cast.alice, repositories=[shop])
    assert request.items.get().affected_tags == ["1.0"]


def test_the_last_signer_is_not_taken_out_by_a_persons_request(cast, shop):
    """With nobody left, no tag could ever be released again; what the product itself asks for is for people to see."""
    before = (ChangeRequest.objects.count(), AuditEvent.objects.count())
    with pytest.raises(WouldLockOut, match="releases"):
        request_signer_removal(actor=cast.developer, signer=cast.alice, repositories=[shop])
    assert (ChangeRequest.objects.count(), AuditEvent.objects.count()) == before


def test_a_rotation_takes_the_root_key_and_is_for_leads(cast, shop, one_event):
    with pytest.raises(NotAllowed):
        request_rotation(actor=cast.developer, repositories=[shop], role="targets")
    with pytest.raises(InvalidInput):
        request_rotation(actor=cast.lead, repositories=[shop], role="timestamp")
    with one_event("request_rotation"):
        request = request_rotation(actor=cast.lead, repositories=[shop], role="targets")
    lines = request.items.get().diff
    assert any("<new targets key>" in line for line in lines)
    assert lines[-1] == "~ targets signed anew, nothing else changes"
    with pytest.raises(InvalidInput, match="root key"):
        approve_request(actor=cast.other_lead, request=request)
    approve_request(actor=cast.other_lead, request=request, passphrases=WORDS)
    secrets = request.items.get().operation.secrets
    assert set(secrets.values_list("purpose", flat=True)) == {"root", "repository"}


def test_the_product_itself_asks_for_a_leavers_removal(cast, shop):
    request = request_signer_removal(actor=None, signer=cast.alice, repositories=[shop], reason="left")
    assert request.requested_by is None
    assert AuditEvent.objects.latest("number").actor is None
    assert approve_request(actor=cast.lead, request=request, passphrases=WORDS).state == "approved"


# policy


def test_a_policy_changes_only_by_another_persons_approval(cast, one_event):
    with one_event("request_policy_change"):
        request = request_policy_change(actor=cast.lead, account=cast.account, needed_approvals=2, needed_to_sign=1)
    assert policy_of(cast.account).needed_approvals == 1
    with pytest.raises(NotAllowed):
        approve_request(actor=cast.lead, request=request)
    with one_event("approve_request"):
        approve_request(actor=cast.other_lead, request=request)
    event = AuditEvent.objects.latest("number")
    assert (event.detail["before"]["needed_approvals"], event.detail["after"]["needed_approvals"]) == (1, 2)
    assert policy_of(cast.repository).needed_to_sign == 1


def test_a_repositorys_own_policy_counts_there_alone(cast, shop):
    request = request_policy_change(actor=cast.lead, account=cast.account, repository=shop, request_days=3)
    approve_request(actor=cast.other_lead, request=request)
    assert policy_of(shop).request_days == 3
    assert policy_of(cast.repository).request_days == 14


@pytest.mark.parametrize(
    "fields",
    [
        {"needed_approvals": 0},
        {"needed_approvals": True},
        {"request_days": 0},
        {"most_signer_days": -1},
        {"requires_step_up": "no"},
        {"owner": "me"},
    ],
)
def test_a_policy_nobody_could_live_with_is_refused(cast, fields):
    with pytest.raises(InvalidInput):
        request_policy_change(actor=cast.lead, account=cast.account, **fields)


def test_the_strictest_policy_of_all_repositories_counts(cast):
    factories.make_key(cast.account, "root")
    first, second = (factories.make_repository(cast.account, name) for name in ("first", "second"))
    Policy.objects.create(account=cast.account, repository=second, needed_approvals=2, request_days=5)
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[first, second])
    assert request.needed_approvals == 2
    assert request.expires_at - timezone.now() < timedelta(days=5)


def test_a_policy_that_became_stricter_counts_for_what_waits(cast):
    factories.make_key(cast.account, "root")
    fresh = factories.make_repository(cast.account, "fresh")
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh])
    policy(cast, needed_approvals=2)
    assert approve_request(actor=cast.lead, request=request).state == "waiting"


def test_a_signer_ends_within_the_days_of_the_policy(cast):
    factories.make_key(cast.account, "root")
    fresh = factories.make_repository(cast.account, "fresh")
    policy(cast, most_signer_days=30)
    asked = {"actor": cast.developer, "signer": cast.alice, "repositories": [fresh]}
    for ends_at in (None, timezone.now() + timedelta(days=40), timezone.now() - timedelta(days=1)):
        with pytest.raises(InvalidInput):
            request_signer(**asked, ends_at=ends_at)
    assert request_signer(**asked, ends_at=timezone.now() + timedelta(days=30)).signer_ends_at


# possession


@pytest.fixture
def enrolled(cast):
    """A signer whose key is at home, and the private half of it."""
    private = PrivateKey.generate()
    return enrol(cast, private), private


def enrol(cast, private):
    factories.make_key(cast.account, "root", is_unattended=True)
    key = Key.objects.create(
        key_id=private.key_id,
        purpose="signer",
        custody="client",
        name="hana",
        keytype=private.public.keytype,
        public_pem=private.public.to_pem(),
        account=cast.account,
        owner=cast.developer,
    )
    signer = factories.make_signer(cast.account, "hana", user=cast.developer, key=key)
    repository = factories.make_repository(cast.account, "fresh")
    return request_signer(actor=cast.developer, signer=signer, repositories=[repository])


def signature_of(private, text):
    return base64.b64encode(private.sign(text.encode())[1]).decode()


def test_without_the_proof_nobody_approves(cast, enrolled, one_event):
    request, private = enrolled
    assert needs_proof(request)
    with pytest.raises(Conflict, match="has not shown"):
        approve_request(actor=cast.lead, request=request)
    with one_event("prove_possession"):
        prove_possession(actor=cast.developer, request=request, signature=signature_of(private, request.challenge))
    assert cast.developer.keys.get().proved_at
    with pytest.raises(TooLate):
        prove_possession(actor=cast.developer, request=request, signature=signature_of(private, request.challenge))
    assert approve_request(actor=cast.lead, request=request).state == "approved"


@pytest.mark.parametrize(
    "forge",
    [
        lambda private, request: signature_of(PrivateKey.generate(), request.challenge),
        lambda private, request: signature_of(private, request.challenge[:-1] + "x"),
        lambda private, request: signature_of(private, request.content_hash),
        lambda private, request: "not base64!",
        lambda private, request: "",
        lambda private, request: "A" * 10_000,
        lambda private, request: base64.b64encode(b"\x30\x06\x02\x01\x01\x02\x01\x01").decode(),
    ],
    ids=["another key", "another text", "the content", "no base64", "nothing", "too long", "small numbers"],
)
def test_a_signature_that_proves_nothing(cast, enrolled, forge):
    request, private = enrolled
    with pytest.raises(InvalidInput):
        prove_possession(actor=cast.developer, request=request, signature=forge(private, request))
    assert needs_proof(ChangeRequest.objects.get())


def test_a_proof_serves_one_request_only(cast, enrolled):
    request, private = enrolled
    old = signature_of(private, request.challenge)
    withdraw_request(actor=cast.developer, request=request)
    again = request_signer(
        actor=cast.developer, signer=request.signer, repositories=[row.repository for row in request.items.all()]
    )
    assert again.challenge != request.challenge
    with pytest.raises(InvalidInput):
        prove_possession(actor=cast.developer, request=again, signature=old)


def openssl_ecdsa(curve):
    key = ec.generate_private_key(curve)
    return PrivateKey(key), lambda text: key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))


def openssl_rsa():
    key = rsa.generate_private_key(65537, 2048)
    return PrivateKey(key), lambda text: key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    "make", [lambda: openssl_ecdsa(ec.SECP256R1()), lambda: openssl_ecdsa(ec.SECP384R1()), openssl_rsa]
)
def test_what_openssl_writes_counts_too(cast, make):
    private, openssl = make()
    request = enrol(cast, private)
    text = base64.encodebytes(openssl(request.challenge)).decode()  # in lines
    prove_possession(actor=cast.developer, request=request, signature=text)
    assert not needs_proof(ChangeRequest.objects.get())


def test_a_challenge_can_be_nothing_else(cast, enrolled):
    request, private = enrolled
    assert request.challenge.startswith(f"{PREFIX}:{request.pk}:{private.key_id}:{cast.account.name}:")
    assert possession_command(request).startswith(f"trustctl possession sign {request.challenge} --key ")
    assert request.challenge in openssl_command(request)
    for text in (
        '{"signed":{}}',
        "",
        PREFIX,
        request.challenge + "0",
        request.challenge.upper(),
        request.challenge + "\n",
    ):
        with pytest.raises(InvalidInput):
            check_challenge(text)


def test_a_policy_may_do_without_the_proof(cast, enrolled):
    request, _ = enrolled
    policy(cast, requires_possession=False)
    assert not needs_proof(request)
    assert approve_request(actor=cast.lead, request=request).state == "approved"


def test_a_key_that_was_opened_here_is_proved(cast):
    assert cast.alice.key.proved_at


# the rest of a request's life


def test_everybody_concerned_is_told(cast, shop):
    request = request_signer_removal(actor=None, signer=cast.alice, repositories=[shop])
    approve_request(actor=cast.lead, request=request, passphrases=WORDS)
    second = request_revocation(actor=cast.developer, repository=shop, tag="1.0")
    reject_request(actor=cast.lead, request=second)
    told = list(Happening.objects.order_by("pk").values_list("event", "request"))
    assert told == [
        ("requested", request.pk),
        ("approved", request.pk),
        ("requested", second.pk),
        ("rejected", second.pk),
    ]


def test_what_expired_is_asked_anew_by_whoever_may(cast, shop, one_event):
    request = request_revocation(actor=cast.developer, repository=shop, tag="1.0")
    with pytest.raises(Conflict, match="waits"):
        renew_request(actor=cast.developer, request=request)
    ChangeRequest.objects.update(expires_at=timezone.now(), state="expired")
    with pytest.raises(NotAllowed):
        renew_request(actor=cast.auditor, request=request)
    with one_event("renew_request"):
        fresh = renew_request(actor=cast.lead, request=request)
    assert (fresh.requested_by, fresh.follows, fresh.state) == (cast.lead, request, "waiting")
    with pytest.raises(NotAllowed):
        approve_request(actor=cast.lead, request=fresh)


@pytest.mark.parametrize("state", ["rejected", "withdrawn"])
def test_what_was_ended_by_somebody_is_not_renewed(cast, shop, state):
    request = request_revocation(actor=cast.developer, repository=shop, tag="1.0")
    ChangeRequest.objects.update(state=state)
    with pytest.raises(TooLate):
        renew_request(actor=cast.developer, request=request)


def test_names_from_outside_cannot_forge_a_line(cast, shop):
    nasty = 'x\n+ targets delegations.roles "targets/eve" {}\u202e'
    SignedTag.objects.create(repository=shop, tag="x", digest=DIGEST, length=1, sort_key="9")
    request = factories.make_request(
        cast.alice,
        [shop],
        cast.developer,
        kind="sign",
        parameters={"tag": nasty, "digest": f"sha256:{DIGEST}", "length": 3},
    )
    lines = request.items.get().diff
    assert lines
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert not any(line.startswith("+ targets delegations") for line in lines)
