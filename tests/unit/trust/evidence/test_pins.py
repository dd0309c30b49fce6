"""Pins as people copy them from tools."""

from __future__ import annotations

import pytest

from signing.trust.errors import InvalidInput
from signing.trust.evidence.pins import RootPins, fingerprint
from tests.simulator import Owner


def test_a_root_key_is_known_by_each_of_its_names(owner: Owner) -> None:
    key = owner.certificate
    openssl = ":".join(fingerprint(key)[at : at + 2].upper() for at in range(0, 64, 2))

    for pins in (
        RootPins.of([key.key_id]),
        RootPins.of([key.canonical_id]),
        RootPins.of(fingerprints=[fingerprint(key)]),
        RootPins.of(fingerprints=[openssl]),
        RootPins.of(fingerprints=[f"sha256 Fingerprint={openssl}"]),
        RootPins.of(fingerprints=[f"sha256:{fingerprint(key)}"]),
    ):
        assert pins
        assert pins.allows(key)
    assert not RootPins.of(["ab" * 32]).allows(key)
    assert not RootPins()


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "ab" * 33, "ab" * 31])
def test_a_shortened_pin_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="neither a key id nor a fingerprint"):
        RootPins.of([text])
