"""Signer keys in a token of SoftHSM: read, signed with, certified; each failure is one clear error."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from signing.adapters import token_keys
from signing.adapters.token_keys import TokenAccess
from signing.errors import SecretGone
from signing.locations import TokenLocation
from signing.trust.errors import FalseSignature, KeyNotHeld, LastTry, TokenGone, TokenTooSlow, WrongPin
from signing.trust.keystore import pkcs11 as tokens
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import certificate_request, root_certificate
from signing.trust.keystore.isolated import in_child
from signing.trust.keystore.outside import OutsideKey
from signing.trust.keystore.pkcs11 import Token
from tests.parts.softhsm import PIN, SoftHsm, softhsm

PAYLOAD = b"signed"
LOCATION = TokenLocation("ops", "alice")


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """A folder with one token and one key; children find it by this process's environment."""
    made = softhsm(tmp_path_factory.mktemp("hsm") / "softhsm")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        place = made.token("ops")
        in_child(lambda: Token(place).generate("alice").key_id.encode(), 20, "the token")
        yield made


@pytest.fixture
def access(hsm: SoftHsm, settings) -> TokenAccess:
    settings.PKCS11_MODULE, settings.PKCS11_SECONDS = "/usr/lib/softhsm/libsofthsm2.so", 20.0
    return TokenAccess(LOCATION, PIN)


def test_it_is_read_and_signs_each_time_in_a_child(access: TokenAccess) -> None:
    public = access.read()
    method, signature = access.key(public).sign(PAYLOAD)
    assert method == "ecdsa"
    assert public.verifies(method, signature, PAYLOAD)
    assert access.key(public).sign(PAYLOAD)


def test_a_request_and_a_root_certificate_are_made_through_it(access: TokenAccess) -> None:
    from datetime import UTC, datetime

    key = access.key(access.read())
    request = x509.load_pem_x509_csr(certificate_request(key, "alice").encode())
    assert request.is_signature_valid
    made = root_certificate(key, "r.test/team/app", datetime.now(UTC))
    made.certificates[0].verify_directly_issued_by(made.certificates[0])
    assert made.canonical_id == key.key_id


def test_a_wrong_pin_is_tried_once(access: TokenAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = TokenAccess(LOCATION, "0000")
    assert "0000" not in repr(wrong)
    with pytest.raises(WrongPin) as told:
        wrong.read()
    assert "0000" not in str(told.value) + told.value.next_step
    monkeypatch.setattr(token_keys, "in_child", lambda *_: pytest.fail("the PIN was tried again"))
    with pytest.raises(WrongPin):
        wrong.read()


def test_no_pin_is_tried_where_it_would_be_the_last(access: TokenAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    def last(token: object, place: tokens.TokenPlace) -> None:
        if not place.insists:
            raise LastTry("one more locks it")

    monkeypatch.setattr(tokens, "_require_tries", last)
    with pytest.raises(LastTry):
        access.read()
    assert TokenAccess(LOCATION, PIN, insists=True).read()


def test_without_a_pin_nothing_is_asked(access: TokenAccess, settings) -> None:
    with pytest.raises(SecretGone):
        TokenAccess(LOCATION, "")
    settings.PKCS11_PINS = {"ops": PIN}
    assert TokenAccess(TokenLocation("ops", "alice", pin_from_worker=True), "").read()


def test_a_token_that_is_pulled_between_two_signatures(access: TokenAccess, hsm: SoftHsm) -> None:
    key = access.key(access.read())
    folder = hsm.folder / "tokens"
    hidden = folder.rename(folder.with_name("pulled"))
    folder.mkdir()
    try:
        with pytest.raises(TokenGone):
            key.sign(PAYLOAD)
    finally:
        folder.rmdir()
        hidden.rename(folder)
    assert TokenAccess(LOCATION, PIN).key(key.public).sign(PAYLOAD)


def test_a_key_that_is_not_there_any_more(access: TokenAccess) -> None:
    with pytest.raises(KeyNotHeld):
        access.key(PrivateKey.generate().public).sign(PAYLOAD)
    with pytest.raises(KeyNotHeld):
        TokenAccess(TokenLocation("ops", "bob"), PIN).read()


def test_a_slow_token_is_given_up_and_its_process_is_gone(access: TokenAccess, settings, tmp_path: Path) -> None:
    settings.PKCS11_SECONDS = 0.3
    pid = tmp_path / "pid"

    def slow(_: Token) -> bytes:
        pid.write_text(str(os.getpid()))
        time.sleep(60)
        return b""

    with pytest.raises(TokenTooSlow, match=r"the token ops did not answer within 0\.3 seconds"):
        access._ask(slow)
    assert not Path(f"/proc/{pid.read_text()}").exists()


def test_a_signature_by_another_key_is_not_used() -> None:
    other = PrivateKey.generate()
    key = OutsideKey(PrivateKey.generate().public, "the token ops", lambda _, payload: other.sign(payload)[1])
    with pytest.raises(FalseSignature):
        key.sign(PAYLOAD)
