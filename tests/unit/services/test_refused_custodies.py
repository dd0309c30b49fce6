"""A policy keeps custody classes from signing: when it is asked for, when it is approved, and in the signing worker."""

from __future__ import annotations

import pytest

from signing.errors import CustodyRefused
from signing.models import Operation, Policy
from signing.selectors.policies import policy_of
from signing.services.operations import publish_image, sign_digest
from signing.services.requests import (
    approve_request,
    request_policy_change,
    request_revocation,
    request_signature,
    request_signer,
)
from signing.trust.errors import InvalidInput
from tests import factories, trust_data
from tests.factories import DIGEST, PASSPHRASE

ASKED = {"tag": "2.0", "digest": f"sha256:{DIGEST}", "length": 7}


@pytest.fixture
def production(cast):
    """A repository with trust data whose own policy may refuse what its account's lets pass."""
    repository = factories.make_repository(cast.account, "production")
    trust_data.publish(repository, cast.alice, tags=("1.0",))
    repository.refresh_from_db()
    return repository


def refuse(repository, *custodies):
    Policy.objects.update_or_create(
        account=repository.account, repository=repository, defaults={"refused_custodies": sorted(custodies)}
    )


def test_no_sealed_key_signs_publishes_or_revokes_on_production(cast, production):
    refuse(production, "sealed")
    given = {"actor": cast.signer, "repository": production, "signer": cast.alice, "passphrase": PASSPHRASE}
    for act in (
        lambda: sign_digest(**ASKED, **given),
        lambda: publish_image(source="alpine:3", tag="2.0", **given),
        lambda: request_signature(actor=cast.developer, repository=production, signer=cast.alice, **ASKED),
        lambda: request_revocation(actor=cast.developer, repository=production, tag="1.0"),
    ):
        with pytest.raises(CustodyRefused, match=r"production refuses keys of the class sealed .* signer key alice"):
            act()
    assert not Operation.objects.exists()


def test_another_repository_of_the_account_is_not_concerned(cast, production):
    refuse(production, "sealed")
    assert sign_digest(actor=cast.signer, repository=cast.repository, signer=cast.alice, passphrase=PASSPHRASE, **ASKED)


def test_a_signer_with_such_a_key_is_not_asked_for(cast, production):
    refuse(production, "sealed")
    bob = factories.make_signer(cast.account, "bob", user=cast.developer)
    with pytest.raises(CustodyRefused):
        request_signer(actor=cast.developer, signer=bob, repositories=[production])


def test_what_waits_is_not_approved_once_the_policy_refuses_it(cast, production):
    request = request_signature(actor=cast.developer, repository=production, signer=cast.alice, **ASKED)
    refuse(production, "sealed", "remote")
    with pytest.raises(CustodyRefused):
        approve_request(actor=cast.lead, request=request, passphrases={"signer": PASSPHRASE})
    refuse(production, "remote")
    assert approve_request(actor=cast.lead, request=request).state == "approved"


def test_the_repository_key_counts_as_well(cast, production):
    bob = factories.make_signer(cast.account, "bob", user=cast.developer)
    bob.key.custody = "pkcs11"
    bob.key.save()
    refuse(production, "sealed")
    with pytest.raises(CustodyRefused, match="repository key targets"):
        request_signer(actor=cast.developer, signer=bob, repositories=[production])


def test_it_is_asked_for_and_approved_like_any_policy(cast):
    request = request_policy_change(actor=cast.lead, account=cast.account, refused_custodies=["sealed"])
    approve_request(actor=cast.other_lead, request=request)
    assert policy_of(cast.account).refused_custodies == ["sealed"]
    assert policy_of(cast.repository).refused_custodies == ["sealed"]


@pytest.mark.parametrize("value", [["gold"], "sealed", ["sealed", "sealed"], [["sealed"]], None])
def test_only_custody_classes_can_be_refused(cast, value):
    with pytest.raises(InvalidInput, match="refused_custodies lists"):
        request_policy_change(actor=cast.lead, account=cast.account, refused_custodies=value)


def test_a_request_from_before_the_field_leaves_it(cast):
    request = request_policy_change(actor=cast.lead, account=cast.account, request_days=3)
    for values in request.parameters.values():
        values.pop("refused_custodies")
    request.save()
    Policy.objects.create(account=cast.account, refused_custodies=["remote"])
    approve_request(actor=cast.other_lead, request=request)
    assert policy_of(cast.account).refused_custodies == ["remote"]
