"""The form in which notary-signer keeps its keys (its own files are opened in tests/interop)."""

from __future__ import annotations

import orjson
import pytest

from signing.jws import encode
from signing.server.signer_database import decrypt, encrypt
from signing.trust.errors import InvalidKey, WrongPassphrase


def test_what_was_encrypted_opens_with_its_passphrase_only() -> None:
    token = encrypt(b"a key", "right").decode()
    assert b"a key" not in token.encode()
    assert decrypt(token, "right") == b"a key"
    with pytest.raises(WrongPassphrase):
        decrypt(token, "wrong")


@pytest.mark.parametrize("part", range(1, 5))
def test_a_changed_part_does_not_open(part: int) -> None:
    parts = encrypt(b"a key", "right").decode().split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    with pytest.raises(WrongPassphrase):
        decrypt(".".join(parts), "right")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir", "enc": "A256GCM", "p2c": 1, "p2s": "AAAA"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1, "p2s": "AAAA"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2c": 2**40, "p2s": "AAAA"},
    ],
)
def test_another_encryption_or_endless_work_is_refused(header: dict[str, object]) -> None:
    rest = encrypt(b"a key", "right").decode().split(".")[1:]
    with pytest.raises(InvalidKey):
        decrypt(".".join((encode(orjson.dumps(header)), *rest)), "right")


@pytest.mark.parametrize("token", ["", "a.b", "....", "e30....", "bm8gSlNPTg.AA.AA.AA.AA"])
def test_no_token_at_all(token: str) -> None:
    with pytest.raises(WrongPassphrase):
        decrypt(token, "right")
