"""The signing worker looks at the policy and at what is frozen again, right before it uses a key."""

from __future__ import annotations

import os

import pytest

from signing.adapters import master_keys
from signing.models import Operation, Policy
from signing.services.operations import sign_digest
from tests import factories
from tests.factories import DIGEST, PASSPHRASE


def signing(approved) -> Operation:
    return sign_digest(
        actor=approved.cast.signer,
        repository=approved.cast.repository,
        tag="1.0",
        digest=DIGEST,
        length=7,
        signer=approved.cast.alice,
        passphrase=PASSPHRASE,
    )


def test_no_sealed_key_signs_once_the_policy_refuses_it(approved):
    operation = signing(approved)
    Policy.objects.create(account=approved.cast.account, refused_custodies=["sealed"])
    posted = len(approved.notary.posted)
    operation = approved.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "custody_refused")
    assert operation.error.startswith(f"The policy of {approved.cast.repository.gun} refuses keys of the class sealed")
    assert len(approved.notary.posted) == posted


def test_a_key_made_on_the_way_is_refused_too(world):
    policy = Policy.objects.create(account=world.cast.account)
    request_then_refuse = Policy.objects.filter(pk=policy.pk)
    world.cast.alice.key.custody = "pkcs11"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signing.approvals.previews.require_custody", lambda *_: None)
        request_then_refuse.update(refused_custodies=["sealed"])
        operation = world.approve()
    assert (operation.state, operation.error_code) == ("failed", "custody_refused")
    assert not world.notary.posted


def test_it_names_the_master_key_it_does_not_have(world, secret, settings):
    operation = factories.make_operation("make_csr", "make_csr", account=world.cast.account, key=world.cast.alice.key)
    secret(operation, signer=PASSPHRASE)
    name = master_keys.id_of(settings.MASTER_KEY).hex()
    settings.MASTER_KEY = os.urandom(32)
    operation = world.run(operation)
    assert operation.error_code == "unknown_master_key"
    assert f"under the master key {name}" in operation.error
