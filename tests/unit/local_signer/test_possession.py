"""`trustctl possession sign`: a proof that its holder has the key, and never anything else."""

from __future__ import annotations

import pytest

from signing.trust.keystore.base import PrivateKey
from signing.trust.policy.possession import make_challenge, require_signed
from signing.trust.tuf.keys import PublicKey

from .conftest import TrustCtl

NONCE = "0f" * 16


@pytest.fixture
def alice(trustctl: TrustCtl) -> PublicKey:
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home))
    return PublicKey.from_pem((trustctl.home / "alice.pub").read_bytes())


@pytest.mark.parametrize("options", [[], ["--key", "alice"]])
def test_the_challenge_is_signed_with_its_key(trustctl: TrustCtl, alice: PublicKey, options: list[str]) -> None:
    challenge = make_challenge(7, alice.key_id, "team", NONCE)
    signature = trustctl.run("possession", "sign", challenge, *options).stdout
    require_signed(challenge, alice, signature)


def test_a_program_reads_it_as_json(trustctl: TrustCtl, alice: PublicKey) -> None:
    challenge = make_challenge(7, alice.key_id, "team", NONCE)
    said = trustctl.run("possession", "sign", challenge, "--json").json
    assert (said["challenge"], said["key_id"]) == (challenge, alice.key_id)
    require_signed(challenge, alice, said["signature"])


@pytest.mark.parametrize("text", ['{"signed":{"_type":"Targets"}}', "", "trustui-possession-1", "x" * 300])
def test_nothing_else_is_signed(trustctl: TrustCtl, alice: PublicKey, text: str) -> None:
    assert "not a challenge" in trustctl.run("possession", "sign", text).refused()


def test_another_key_is_not_taken_for_it(trustctl: TrustCtl, alice: PublicKey) -> None:
    trustctl.run("key", "generate", "bob", "--dir", str(trustctl.home))
    challenge = make_challenge(7, alice.key_id, "team", NONCE)
    assert "is for the key" in trustctl.run("possession", "sign", challenge, "--key", "bob").refused()
    foreign = make_challenge(7, PrivateKey.generate().key_id, "team", NONCE)
    assert "no key" in trustctl.run("possession", "sign", foreign).refused()
