"""The outer lock of sealed keys: bound to its row, witnessed by the audit log, under master keys that change."""

from __future__ import annotations

import os
from io import StringIO

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management import CommandError, call_command

from signing.adapters import envelopes, master_keys
from signing.adapters.envelopes import Envelope
from signing.adapters.sealed_keys import SealedKeyStore, store_key
from signing.errors import MisplacedEnvelope, OldEnvelope, UnknownMasterKey, WeakEnvelope
from signing.models import AuditEvent, Key
from signing.trust.errors import WrongPassphrase
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from tests import factories
from tests.factories import PASSPHRASE


@pytest.fixture
def account(db):
    return factories.make_account()


@pytest.fixture
def key(account) -> Key:
    return stored_key(account)


def stored_key(account, name: str = "alice") -> Key:
    """Store a key as a job does, witness included."""
    given = {"account": account, "purpose": "signer", "name": name, "passphrase": PASSPHRASE}
    return store_key(PrivateKey.generate(), **given)


def opened(key: Key) -> PrivateKey:
    row = Key.objects.get(pk=key.pk)
    return SealedKeyStore(row.account, [row], {"signer": PASSPHRASE}).open(row.key_id)


def stored(key: Key) -> Envelope:
    return Envelope.parse(bytes(Key.objects.values_list("envelope", flat=True).get(pk=key.pk)))


def as_before_witnesses(key: Key, master_key: bytes) -> bytes:
    """Give the key's envelope as the first version stored it."""
    nonce = os.urandom(12)
    bound = f"trustui key 1|{key.key_id}|{key.purpose}|{key.gun}".encode()
    return b"\x01" + nonce + AESGCM(master_key).encrypt(nonce, envelopes.unwrap(key).encode(), bound)


def witnesses(key: Key) -> list[int]:
    events = AuditEvent.objects.filter(action="seal_key", detail__key=key.key_id).order_by("number")
    return [event.detail["serial"] for event in events]


# What was put there by somebody else


@pytest.mark.parametrize(
    "column", [{"purpose": "root"}, {"gun": "r.test/a/b"}, {"key_id": "ab" * 32}], ids=lambda value: next(iter(value))
)
def test_it_is_bound_to_its_row(key, column):
    Key.objects.filter(pk=key.pk).update(**column)
    with pytest.raises(MisplacedEnvelope):
        envelopes.unwrap(Key.objects.get(pk=key.pk))


def test_two_rows_that_were_swapped_stay_shut(account, key):
    other = factories.make_key(account, name="bob")
    Key.objects.filter(pk=key.pk).update(envelope=other.envelope)
    Key.objects.filter(pk=other.pk).update(envelope=key.envelope)
    for row in (key, other):
        with pytest.raises(MisplacedEnvelope):
            opened(row)


@pytest.mark.parametrize("text", [b"pbkdf2-sha1-1", b"pbkdf2-sha1-2049", b"pbkdf2-sha256-2048"])
def test_the_key_derivation_cannot_be_lowered_in_the_head(key, text):
    envelope = bytes(key.envelope)
    assert b"pbkdf2-sha1-2048" in envelope
    head = envelope[:13] + bytes([len(text)]) + text
    Key.objects.filter(pk=key.pk).update(envelope=head + envelope[14 + len("pbkdf2-sha1-2048") :])
    with pytest.raises(MisplacedEnvelope):
        opened(key)


def test_a_file_with_a_cheap_derivation_is_neither_stored_nor_opened(account, key, monkeypatch):
    monkeypatch.setattr(pem, "ROUNDS", 1)
    cheap = factories.make_key(account, name="bob")
    monkeypatch.undo()
    with pytest.raises(WeakEnvelope, match="1 rounds; docker's files have 2048"):
        opened(cheap)
    private = PrivateKey.generate()
    monkeypatch.setattr(pem, "ROUNDS", 1)
    file = pem.encrypt(private, PASSPHRASE, "alice")
    monkeypatch.undo()
    with pytest.raises(WeakEnvelope):
        envelopes.wrap(key, file)


def test_a_derivation_other_than_the_head_says_is_refused(key, monkeypatch):
    file = envelopes.unwrap(key)
    monkeypatch.setattr(envelopes, "_derivation_of", lambda _: "pbkdf2-sha1-9999")
    key.envelope = envelopes.wrap(key, file)
    key.save()
    monkeypatch.undo()
    with pytest.raises(WeakEnvelope, match="otherwise than its envelope says"):
        opened(key)


def test_an_old_envelope_put_back_is_refused(key):
    before = bytes(key.envelope)
    key.envelope = envelopes.wrap(key, envelopes.unwrap(key))
    key.save()
    assert opened(key)
    Key.objects.filter(pk=key.pk).update(envelope=before)
    with pytest.raises(OldEnvelope, match=r"number 1; the audit log knows number 2\. An old one was put back"):
        opened(key)
    assert witnesses(key) == [1, 2]


def test_an_envelope_from_before_witnesses_put_back_is_refused(key, settings):
    Key.objects.filter(pk=key.pk).update(envelope=as_before_witnesses(key, settings.MASTER_KEY))
    with pytest.raises(OldEnvelope, match="number 0"):
        opened(key)


def test_another_envelope_of_the_same_number_is_refused(key):
    AuditEvent.objects.all().delete()
    other = envelopes.wrap(key, envelopes.unwrap(key))
    assert Envelope.parse(other).serial == 1
    Key.objects.filter(pk=key.pk).update(envelope=key.envelope)
    with pytest.raises(OldEnvelope):
        opened(key)


@pytest.mark.parametrize("torn", [b"", b"\x02", b"\x03" + bytes(60), b"\x02" + bytes(14), b"\x02" + b"\xff" * 40])
def test_what_is_no_envelope_is_one_plain_error(key, torn):
    Key.objects.filter(pk=key.pk).update(envelope=torn)
    with pytest.raises((MisplacedEnvelope, UnknownMasterKey)):
        opened(key)


def test_the_file_inside_is_locked_by_the_passphrase_too(key):
    with pytest.raises(WrongPassphrase):
        pem.decrypt(envelopes.unwrap(key), "another")


# Envelopes of the first version


def test_the_first_version_opens_and_is_wrapped_anew_when_it_is_used(key, settings):
    old = as_before_witnesses(key, settings.MASTER_KEY)
    AuditEvent.objects.all().delete()
    Key.objects.filter(pk=key.pk).update(envelope=old)
    assert opened(key).key_id == key.key_id
    assert (stored(key).version, stored(key).serial, witnesses(key)) == (2, 1, [1])
    assert opened(key)
    assert witnesses(key) == [1]
    Key.objects.filter(pk=key.pk).update(envelope=old)
    with pytest.raises(OldEnvelope):
        opened(key)


def test_the_first_version_under_another_master_key_stays_shut(key):
    old = as_before_witnesses(key, os.urandom(32))
    AuditEvent.objects.all().delete()
    Key.objects.filter(pk=key.pk).update(envelope=old)
    with pytest.raises(UnknownMasterKey, match="none of this worker's master keys"):
        opened(key)


# Master keys that change


def rotate() -> str:
    out = StringIO()
    call_command("rotate_master_key", stdout=out)
    return out.getvalue()


@pytest.fixture
def new_master_key(settings, account) -> bytes:
    """Two keys under a first master key, which is the previous one now."""
    factories.make_key(account, name="bob")
    settings.PREVIOUS_MASTER_KEYS = (settings.MASTER_KEY,)
    settings.MASTER_KEY = os.urandom(32)
    return settings.MASTER_KEY


def test_everything_comes_under_the_new_master_key_once(key, new_master_key, settings):
    name = master_keys.id_of(new_master_key).hex()
    assert rotate() == f"2 keys are under the master key {name} now.\n"
    settings.PREVIOUS_MASTER_KEYS = ()
    assert opened(key)
    event = AuditEvent.objects.get(action="rotate_master_key")
    assert (event.subject, event.detail) == (name, {"rewrapped": 2, "broken": 0, "keys": {name: 2}})
    assert rotate().startswith("0 keys")
    assert AuditEvent.objects.filter(action="rotate_master_key").count() == 1


def test_an_interrupted_rotation_goes_on_where_it_stopped(key, new_master_key, monkeypatch):
    wrap = envelopes.wrap

    def interrupted(row, file):
        if row.name == "bob":
            raise KeyboardInterrupt
        return wrap(row, file)

    monkeypatch.setattr(envelopes, "wrap", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    monkeypatch.undo()
    assert sorted(stored(row).is_current for row in Key.objects.all()) == [False, True]
    assert opened(key)
    assert rotate().startswith("1 keys")


def test_a_key_that_is_used_meanwhile_comes_over_by_itself(key, new_master_key):
    assert opened(key)
    assert stored(key).is_current
    assert rotate().startswith("1 keys")


def test_a_key_that_does_not_open_is_named_and_the_others_come_over(key, new_master_key):
    Key.objects.filter(pk=key.pk).update(gun="r.test/a/b")
    with pytest.raises(CommandError, match=rf"1 keys stay as they are:\n{key}: The envelope of the key"):
        rotate()
    assert AuditEvent.objects.get(action="rotate_master_key").detail["broken"] == 1
