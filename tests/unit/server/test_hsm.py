"""The server's keys on a token: what the database holds of them, and what happens while the token is away."""

from __future__ import annotations

import os

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from pytest_django.fixtures import Settings

from signing.server import hsm
from signing.server.models import OnlineKey
from signing.server.online_keys import OnlineKeys
from signing.trust.errors import BoundToToken, KeyNotHeld, TokenUnavailable
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.pkcs11 import Token, TokenKey, TokenPlace
from tests.unit.server.conftest import Api, error_of
from tests.unit.server.test_online_keys import reseal_under
from tests.unit.trust.notary.publisher import GUN


class FakeToken(Token):
    """Keys in memory behind a token's interface."""

    def __init__(self) -> None:
        super().__init__(TokenPlace("/module.so", "fake", "pin"))
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.is_away = False

    def check(self) -> None:
        if self.is_away:
            raise TokenUnavailable("The token fake does not answer.")

    def generate(self, label: str) -> PrivateKey:
        self.check()
        key = ec.generate_private_key(ec.SECP256R1())
        key_id = PrivateKey(key).key_id
        self.keys[key_id] = key
        return self.open(key_id)

    def open(self, key_id: str) -> PrivateKey:
        self.check()
        if key_id not in self.keys:
            raise KeyNotHeld("It is not there.")
        return TokenKey(PrivateKey(self.keys[key_id]).public, lambda digest: self._sign(key_id, digest))

    def _sign(self, key_id: str, digest: bytes) -> bytes:
        self.check()
        r, s = decode_dss_signature(self.keys[key_id].sign(digest, ec.ECDSA(Prehashed(SHA256()))))
        return r.to_bytes(32) + s.to_bytes(32)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> FakeToken:
    fake = FakeToken()
    monkeypatch.setattr(hsm, "token", lambda: fake)
    return fake


def test_the_server_signs_with_keys_that_only_the_token_has(api: Api, token: FakeToken) -> None:
    owner = api.publisher()
    assert api.publish(files=owner.first()).status_code == 200
    assert {row.key_id for row in OnlineKey.objects.all()} == set(token.keys)
    (key,) = OnlineKeys(GUN).open("timestamp", [row.key_id for row in OnlineKey.objects.filter(role="timestamp")])
    with pytest.raises(BoundToToken):
        key.loaded  # noqa: B018
    assert api.rotated_key("timestamp").key_id in token.keys


@pytest.mark.parametrize("change", [{"gun": "another/app"}, {"role": "snapshot"}])
def test_a_row_moved_elsewhere_opens_nothing_of_the_token(api: Api, token: FakeToken, change: dict[str, str]) -> None:
    api.key("timestamp")
    row = OnlineKey.objects.get()
    OnlineKey.objects.update(**change)
    place = {"gun": row.gun, "role": row.role} | change
    with pytest.raises(InvalidTag):
        OnlineKeys(place["gun"]).open(place["role"], [row.key_id])


def test_a_new_master_key_needs_no_token(api: Api, token: FakeToken, settings: Settings) -> None:
    owner = api.publisher()
    api.publish(files=owner.first())
    token.is_away = True
    assert reseal_under(os.urandom(32), settings).startswith("2 keys")
    token.is_away = False
    assert api.publish(("targets/alice", owner.tags())).status_code == 200


def test_while_the_token_is_away_it_says_so_and_nothing_is_published(api: Api, token: FakeToken) -> None:
    owner = api.publisher()
    api.publish(files=owner.first())
    token.is_away = True
    answer = api.publish(("targets/alice", owner.tags()))
    assert (answer.status_code, error_of(answer)["code"]) == (500, "UNKNOWN")
    assert api.client.post(api.path("timestamp.key")).status_code == 500
    health = api.client.get("/_notary_server/health")
    assert health.status_code == 503
    assert health.json() == {"Trust operational": "the token of the server's keys cannot be used"}
    assert api.get("timestamp.json").status_code == 200
    assert api.get("targets/alice.json").status_code == 404

    token.is_away = False
    assert api.client.get("/_notary_server/health").status_code == 200
    assert api.publish(("targets/alice", owner.tags())).status_code == 200


def test_a_token_that_is_named_no_more_is_missed(api: Api, token: FakeToken, monkeypatch: pytest.MonkeyPatch) -> None:
    api.key("timestamp")
    row = OnlineKey.objects.get()
    monkeypatch.setattr(hsm, "token", lambda: None)
    with pytest.raises(TokenUnavailable, match="none is named any more"):
        OnlineKeys(GUN).open("timestamp", [row.key_id])


def test_keys_that_are_sealed_stay_in_use_beside_a_token(
    api: Api, owner: object, token: FakeToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = api.signed("timestamp.json")["version"]
    assert api.rotated_key("timestamp").key_id in token.keys
    assert api.signed("timestamp.json")["version"] == before
    assert OnlineKey.objects.exclude(key_id__in=token.keys).count() == 2
