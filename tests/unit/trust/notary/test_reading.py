"""What is verified once counts again only for the same bytes, keys and threshold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signing.trust.errors import MalformedMetadata, UnmetThreshold
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import reading
from signing.trust.tuf.metadata import Envelope, Snapshot, Targets
from signing.trust.tuf.roles import Role
from tests.simulator import NOON, signed_by

KEY, OTHER = PrivateKey.generate(), PrivateKey.generate()
FILE = signed_by(Targets(version=1, expires=NOON), KEY)
ROLE = Role("targets", {KEY.key_id: KEY.public}, 1)


def test_the_same_file_is_read_once() -> None:
    assert reading.read_envelope(FILE.raw) is reading.read_envelope(bytes(bytearray(FILE.raw)))
    assert reading.read_as(Targets, FILE) is reading.read_as(Targets, FILE)


def test_a_signature_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reading.require_signed(ROLE, FILE)
    monkeypatch.setattr(Role, "require_threshold", lambda *_: pytest.fail("verified again"))
    reading.require_signed(Role("targets", {KEY.key_id: KEY.public}, 1), Envelope.parse(FILE.raw))


def test_other_keys_other_thresholds_and_other_bytes_are_not_the_same() -> None:
    reading.require_signed(ROLE, FILE)
    others = [
        replace(ROLE, threshold=2),
        replace(ROLE, keys={OTHER.key_id: OTHER.public}),
        replace(ROLE, keys={}),
        replace(ROLE, keys={OTHER.key_id: OTHER.public, KEY.key_id: KEY.public}, threshold=2),
    ]
    for role in others:
        with pytest.raises(UnmetThreshold):
            reading.require_signed(role, FILE)
    with pytest.raises(UnmetThreshold):
        reading.require_signed(ROLE, Envelope.parse(FILE.raw.replace(b'"version":1', b'"version":2')))


def test_a_refusal_is_not_kept() -> None:
    unsigned = Envelope.build(FILE.signed, ())
    for _ in range(2):
        with pytest.raises(UnmetThreshold):
            reading.require_signed(ROLE, unsigned)


def test_one_kind_is_not_another() -> None:
    reading.read_as(Targets, FILE)
    with pytest.raises(MalformedMetadata):
        reading.read_as(Snapshot, FILE)


def test_large_files_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_KEPT", 10)
    assert reading.read_envelope(FILE.raw) is not reading.read_envelope(FILE.raw)
    assert reading.read_as(Targets, FILE) is not reading.read_as(Targets, FILE)
    reading.require_signed(ROLE, FILE)
    with pytest.raises(UnmetThreshold):
        reading.require_signed(replace(ROLE, threshold=2), FILE)
