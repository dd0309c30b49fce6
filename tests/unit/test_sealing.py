"""What is sealed opens once, for one worker, in one context."""

from __future__ import annotations

import base64
import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.utils import timezone

from signing import sealing
from signing.adapters.sealed_keys import SealedKeyStore, store_key
from signing.adapters.unsealing import take_secrets, unseal
from signing.errors import CannotUnseal, Conflict, MisplacedEnvelope, SecretGone, UnknownMasterKey
from signing.models import Key, SealedSecret
from signing.services.work import keep_secret
from signing.trust.errors import KeyNotHeld, WrongPassphrase
from signing.trust.keystore.base import PrivateKey
from tests import factories
from tests.factories import PASSPHRASE


def test_a_box_opens_in_its_own_context():
    box = sealing.seal("signing", b"secret words", "operation:1:root")
    assert unseal(box, "operation:1:root") == b"secret words"
    assert b"secret" not in box


@pytest.mark.parametrize("context", ["operation:2:root", "operation:1:signer", ""])
def test_a_box_moved_to_another_context_stays_shut(context):
    box = sealing.seal("signing", b"secret", "operation:1:root")
    with pytest.raises(CannotUnseal):
        unseal(box, context)


def test_the_other_worker_cannot_open_it(settings):
    box = sealing.seal("signing", b"secret", "c")
    settings.SEALING_PRIVATE_KEY = settings.TEST_SEALING_PRIVATE_KEYS["docker"]
    with pytest.raises(CannotUnseal):
        unseal(box, "c")


def test_equal_secrets_give_different_boxes():
    assert sealing.seal("signing", b"same", "c") != sealing.seal("signing", b"same", "c")


@pytest.mark.parametrize("position", [0, 1, 33, 46, -1])
def test_a_changed_byte_anywhere_is_noticed(position):
    box = bytearray(sealing.seal("signing", b"secret", "c"))
    box[position] ^= 1
    with pytest.raises(CannotUnseal):
        unseal(bytes(box), "c")


@pytest.mark.parametrize("box", [b"", b"\x01", b"\x01" + bytes(32), bytes(range(20))])
def test_a_torn_box_is_one_plain_error(box):
    with pytest.raises(CannotUnseal):
        unseal(box, "c")


def test_the_ephemeral_key_is_not_the_recipients(settings):
    own = X25519PrivateKey.generate().public_key().public_bytes_raw()
    settings.SEALING_PUBLIC_KEYS = {"signing": base64.b64encode(own).decode()}
    with pytest.raises(CannotUnseal):
        unseal(sealing.seal("signing", b"x", "c"), "c")


@pytest.fixture
def operation(db):
    account = factories.make_account()
    return factories.make_operation("generate_key", "generate_key", account=account)


def test_secrets_are_read_once(operation):
    keep_secret(operation, "signer", PASSPHRASE)
    assert take_secrets(operation) == {"signer": PASSPHRASE}
    assert take_secrets(operation) == {}
    assert not SealedSecret.objects.exists()


def test_an_expired_secret_is_deleted_and_never_used(operation):
    keep_secret(operation, "root", PASSPHRASE)
    SealedSecret.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(SecretGone, match="too long"):
        take_secrets(operation)
    assert not SealedSecret.objects.exists()


def test_a_secret_copied_to_another_operation_does_not_open(operation):
    keep_secret(operation, "root", PASSPHRASE)
    other = factories.make_operation("make_csr", "make_csr", account=operation.account)
    SealedSecret.objects.update(operation=other)
    with pytest.raises(CannotUnseal):
        take_secrets(other)


@pytest.fixture
def account(db):
    return factories.make_account()


def open_with(key: Key, **secrets: str) -> PrivateKey:
    row = Key.objects.get(pk=key.pk)
    return SealedKeyStore(row.account, [row], secrets).open(row.key_id)


def test_a_stored_key_opens_with_its_passphrase(account):
    private = PrivateKey.generate()
    row = store_key(private, account=account, purpose="signer", name="alice", passphrase=PASSPHRASE)
    assert row.key_id == private.public.canonical_id
    assert open_with(row, signer=PASSPHRASE).public == private.public
    assert b"PRIVATE" not in bytes(row.envelope)
    assert "PRIVATE" not in row.public_pem


def test_a_wrong_passphrase_is_named_so(account):
    with pytest.raises(WrongPassphrase):
        open_with(factories.make_key(account), signer="not that one")


def test_a_passphrase_for_another_purpose_is_not_tried(account):
    with pytest.raises(SecretGone):
        open_with(factories.make_key(account), root=PASSPHRASE)


@pytest.mark.parametrize(("column", "value"), [("purpose", "root"), ("gun", "r.test/a/b")])
def test_an_envelope_is_bound_to_its_row(account, column, value):
    key = factories.make_key(account)
    Key.objects.filter(pk=key.pk).update(**{column: value})
    with pytest.raises(MisplacedEnvelope, match="another row"):
        open_with(key, signer=PASSPHRASE, root=PASSPHRASE)


def test_an_envelope_moved_to_another_key_stays_shut(account):
    one, two = factories.make_key(account), factories.make_key(account, name="bob")
    Key.objects.filter(pk=two.pk).update(envelope=one.envelope)
    with pytest.raises(MisplacedEnvelope):
        open_with(two, signer=PASSPHRASE)


def test_another_master_key_opens_nothing(account, settings):
    key = factories.make_key(account)
    settings.MASTER_KEY = os.urandom(32)
    with pytest.raises(UnknownMasterKey, match="which this worker does not have"):
        open_with(key, signer=PASSPHRASE)


def test_an_unattended_key_brings_its_passphrase(account):
    key = factories.make_key(account, is_unattended=True)
    assert not key.asks_passphrase
    assert open_with(key).public.canonical_id == key.key_id


def test_an_unattended_passphrase_is_bound_to_its_key(account):
    one = factories.make_key(account, is_unattended=True)
    two = factories.make_key(account, name="bob", is_unattended=True)
    Key.objects.filter(pk=two.pk).update(unattended=one.unattended)
    with pytest.raises(CannotUnseal):
        open_with(two)


def test_the_same_key_is_stored_once(account):
    private = PrivateKey.generate()
    store_key(private, account=account, purpose="signer", name="a", passphrase=PASSPHRASE)
    with pytest.raises(Conflict):
        store_key(private, account=account, purpose="signer", name="b", passphrase=PASSPHRASE)


def test_a_store_holds_only_the_keys_it_was_given(account):
    mine, theirs = factories.make_key(account), factories.make_key(account, name="bob")
    store = SealedKeyStore(account, [mine], {"signer": PASSPHRASE})
    assert not store.holds(theirs.key_id)
    with pytest.raises(KeyNotHeld):
        store.open(theirs.key_id)
    assert PASSPHRASE not in repr(store) + repr(vars(store).get("_rows"))


def test_a_new_repository_key_takes_the_passphrase_given_for_it(account):
    root = factories.make_key(account, "root")
    store = SealedKeyStore(account, [root], {"root": PASSPHRASE, "repository": "its own words"})
    private = PrivateKey.generate()
    store.add(private, "targets", "r.test/team/app")
    row = Key.objects.get(purpose="repository")
    assert (row.gun, row.name, row.asks_passphrase) == ("r.test/team/app", "targets", True)
    assert open_with(row, repository="its own words").public == private.public
    assert [(info.role, info.gun) for info in store.list()] == [("root", None), ("targets", "r.test/team/app")]


def test_under_an_unattended_root_key_the_repository_key_is_unattended_too(account):
    root = factories.make_key(account, "root", is_unattended=True)
    SealedKeyStore(account, [root], {}).add(PrivateKey.generate(), "targets", "r.test/team/app")
    row = Key.objects.get(purpose="repository")
    assert not row.asks_passphrase
    assert open_with(row).public.canonical_id == row.key_id


def test_without_any_passphrase_no_repository_key_is_kept(account):
    store = SealedKeyStore(account, [factories.make_key(account, "root")], {"root": PASSPHRASE})
    with pytest.raises(SecretGone):
        store.add(PrivateKey.generate(), "targets", "r.test/team/app")
    assert not Key.objects.filter(purpose="repository").exists()
