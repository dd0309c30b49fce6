"""Token authentication: the challenge, what opens which door, and every forgery we know of."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.utils import timezone
from pytest_django.fixtures import Settings

from signing import jws
from signing.server import auth, tokens
from signing.server.models import Collection
from tests.unit.server.conftest import MULTIPART, Api, body_of, error_of
from tests.unit.server.issuer import DAY, Issuer, certificate, unsigned, x5c
from tests.unit.trust.notary.publisher import Publisher

REALM = "https://dashboard.test/token"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def closed(issuer: Issuer, settings: Settings, tmp_path: Path) -> None:
    """Make the server ask for tokens of this issuer."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(issuer.bundle)
    settings.TRUST_SERVER_AUTH = "token"
    settings.TRUST_SERVER_AUTH_REALM = REALM
    settings.TRUST_SERVER_AUTH_SERVICE = "notary"
    settings.TRUST_SERVER_AUTH_ISSUER = issuer.name
    settings.TRUST_SERVER_AUTH_BUNDLE = str(bundle)
    settings.TRUST_SERVER_ANONYMOUS_PULL = False


Ask = Callable[..., HttpResponse]


@pytest.fixture
def ask(api: Api, owner: Publisher, closed: None) -> Ask:
    """Ask for root.json of a published repository with a token."""

    def get(token: str | None = None, name: str = "root.json", scheme: str = "Bearer") -> HttpResponse:
        headers = {"Authorization": f"{scheme} {token}"} if token is not None else {}
        return api.client.get(api.path(name), headers=headers)

    return get


def test_the_challenge_is_what_clients_answer(ask: Ask, api: Api) -> None:
    answer = ask()
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == f'Bearer realm="{REALM}",service="notary",scope="repository:{api.gun}:pull"'
    assert error_of(answer) == {
        "code": "UNAUTHORIZED",
        "message": "authentication required",
        "detail": [{"Type": "repository", "Class": "", "Name": api.gun, "Action": "pull"}],
    }


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/v2/", "registry:catalog:*"),
        ("get", "/v2/_trust/changefeed?records=1", "registry:catalog:*"),
        ("get", "/v2/{gun}/_trust/changefeed?records=1", "repository:{gun}:pull"),
        ("get", "/v2/{gun}/_trust/tuf/targets/releases.json", "repository:{gun}:pull"),
        ("get", "/v2/{gun}/_trust/tuf/1.root.json", "repository:{gun}:pull"),
        ("get", "/v2/{gun}/_trust/tuf/timestamp.key", "repository:{gun}:push,pull"),
        ("post", "/v2/{gun}/_trust/tuf/", "repository:{gun}:push,pull"),
        ("post", "/v2/{gun}/_trust/tuf/snapshot.key", "repository:{gun}:*"),
        ("delete", "/v2/{gun}/_trust/tuf/", "repository:{gun}:*"),
    ],
)
def test_each_door_asks_for_its_own_scope(
    api: Api, closed: None, issuer: Issuer, method: str, path: str, scope: str
) -> None:
    path, scope = path.format(gun=api.gun), scope.format(gun=api.gun)
    answer = getattr(api.client, method)(path)
    assert answer.status_code == 401
    assert f'scope="{scope}"' in answer["WWW-Authenticate"]

    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    enough = issuer.token(issuer.claims((kind, name, actions.split(","))))
    assert getattr(api.client, method)(path, headers={"Authorization": f"Bearer {enough}"}).status_code != 401


def test_monitoring_needs_no_token(api: Api, closed: None) -> None:
    for path in ("/_notary_server/health", "/metrics"):
        assert api.client.get(path).status_code == 200


def test_any_token_answers_the_first_question(api: Api, closed: None, issuer: Issuer) -> None:
    token = issuer.token(issuer.claims())
    assert api.client.get("/v2/", headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    "access",
    [
        [],
        [("repository", "{gun}", ["push"])],
        [("repository", "{gun}/more", ["pull"])],
        [("repository", "", ["pull"])],
        [("registry", "{gun}", ["pull"])],
        [("repository", "{gun}", ["PULL"])],
    ],
    ids=str,
)
def test_other_access_does_not_open_it(ask: Ask, api: Api, issuer: Issuer, access: list[Any]) -> None:
    claims = issuer.claims(*((kind, name.format(gun=api.gun), actions) for kind, name, actions in access))
    answer = ask(issuer.token(claims))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].endswith(',error="insufficient_scope"')


def test_a_star_stands_for_all(ask: Ask, api: Api, issuer: Issuer) -> None:
    """`notary key rotate` asks for `*` alone and reads with that token too; notary-server takes it."""
    assert ask(issuer.token(issuer.claims(("repository", api.gun, ["*"])))).status_code == 200


def test_pull_does_not_publish_and_push_does_not_delete(api: Api, closed: None, issuer: Issuer) -> None:
    for actions, send in (
        (["pull"], lambda **kw: api.client.post(api.path(), body_of(), content_type=MULTIPART, **kw)),
        (["push", "pull"], lambda **kw: api.client.delete(api.path(), **kw)),
    ):
        token = issuer.token(issuer.claims(("repository", api.gun, actions)))
        assert send(headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert not Collection.objects.exists()


def test_a_refused_body_is_not_read(api: Api, closed: None) -> None:
    answer = api.send(b"no multipart at all")
    assert answer.status_code == 401


# Anonymous pull


def test_anonymous_pull_opens_reads_and_nothing_else(ask: Ask, api: Api, settings: Settings, issuer: Issuer) -> None:
    settings.TRUST_SERVER_ANONYMOUS_PULL = True
    assert ask().status_code == 200
    assert ask("not even a token").status_code == 200
    assert api.client.get("/v2/").status_code == 401  # else clients never learn where tokens come from
    assert api.client.post(api.path(), body_of(), content_type=MULTIPART).status_code == 401
    assert api.client.delete(api.path()).status_code == 401
    assert api.client.get(api.path("timestamp.key")).status_code == 401
    assert api.client.get("/v2/_trust/changefeed?records=1").status_code == 401


# Keys


def test_rsa_tokens_are_taken(api: Api) -> None:
    issuer = Issuer(rsa.generate_private_key(65537, 2048))
    verifier = tokens.TokenVerifier(issuer.name, "notary", [issuer.certificate])
    assert verifier.verify(issuer.token(issuer.claims()), timezone.now()).subject == "alice"


@pytest.mark.parametrize("size", [384, 521])
def test_a_larger_curve_is_no_p256(size: int) -> None:
    """ES256 names the curve too: the same header over another curve's signature is refused."""
    curve = {384: ec.SECP384R1(), 521: ec.SECP521R1()}[size]
    issuer = Issuer(ec.generate_private_key(curve))
    verifier = tokens.TokenVerifier(issuer.name, "notary", [issuer.certificate])
    claims, header = issuer.claims(), {"alg": "ES256", "x5c": x5c(issuer.certificate)}
    signed = unsigned(claims, header)
    with pytest.raises(tokens.InvalidToken, match="signature"):
        verifier.verify(f"{signed}.{jws.encode(bytes(2 * ((size + 7) // 8)))}", timezone.now())


@pytest.mark.parametrize("form", ["libtrust", "thumbprint", "hash", "jwk"])
def test_a_key_of_the_bundle_may_be_named(issuer: Issuer, form: str) -> None:
    public = issuer.key.public_key()
    libtrust, thumbprint, plain = tokens.key_ids(public)
    header = {
        "libtrust": {"kid": libtrust},
        "thumbprint": {"kid": thumbprint},
        "hash": {"kid": plain},
        "jwk": {"jwk": tokens._as_jwk(public)},
    }[form]
    verifier = tokens.TokenVerifier(issuer.name, "notary", [issuer.certificate])
    assert verifier.verify(issuer.token(issuer.claims(), **header), timezone.now()).subject == "alice"


def test_an_intermediate_that_came_along_leads_to_the_bundle(issuer: Issuer) -> None:
    middle_key, leaf = ec.generate_private_key(ec.SECP256R1()), Issuer(name="leaf")
    middle = certificate("middle", middle_key, issuer.name, issuer.key, ca=True)
    signed = certificate("leaf", leaf.key, "middle", middle_key)
    verifier = tokens.TokenVerifier("leaf", "notary", [issuer.certificate])
    assert verifier.verify(leaf.token(leaf.claims(), x5c=x5c(signed, middle)), timezone.now())


# Forgeries


def _none(issuer: Issuer, claims: dict[str, Any]) -> str:
    return unsigned(claims, {"alg": "none", "x5c": x5c(issuer.certificate)}) + "."


def _none_with_something(issuer: Issuer, claims: dict[str, Any]) -> str:
    return unsigned(claims, {"alg": "none", "x5c": x5c(issuer.certificate)}) + ".AAAA"


def _shared_secret(issuer: Issuer, claims: dict[str, Any]) -> str:
    """Confuse the algorithm: the public key's bytes as the secret of HMAC."""
    signed = unsigned(claims, {"alg": "HS256", "x5c": x5c(issuer.certificate)})
    secret = issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"{signed}.{jws.encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _wrong_algorithm(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.token(claims, alg="RS256", x5c=x5c(issuer.certificate))


def _no_algorithm(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.token(claims, alg=None, x5c=x5c(issuer.certificate))


def _own_certificate(issuer: Issuer, claims: dict[str, Any]) -> str:
    return Issuer(name=issuer.name).token(claims)


def _foreign_key_under_the_right_certificate(issuer: Issuer, claims: dict[str, Any]) -> str:
    return Issuer().token(claims, x5c=x5c(issuer.certificate))


def _same_name_of_the_authority(issuer: Issuer, claims: dict[str, Any]) -> str:
    forger, leaf = Issuer(name=issuer.name), Issuer()
    signed = certificate("leaf", leaf.key, issuer.name, forger.key)
    return leaf.token(claims, x5c=x5c(signed, forger.certificate))


def _leaf_as_authority(issuer: Issuer, claims: dict[str, Any]) -> str:
    """Somebody with an ordinary certificate of the issuer's makes certificates with it."""
    middle_key, leaf = ec.generate_private_key(ec.SECP256R1()), Issuer()
    middle = certificate("middle", middle_key, issuer.name, issuer.key)
    signed = certificate("leaf", leaf.key, "middle", middle_key)
    return leaf.token(claims, x5c=x5c(signed, middle))


def _expired_certificate(issuer: Issuer, claims: dict[str, Any]) -> str:
    leaf = Issuer()
    old = certificate("leaf", leaf.key, issuer.name, issuer.key, days=(-30, -1))
    return leaf.token(claims, x5c=x5c(old))


def _certificate_of_tomorrow(issuer: Issuer, claims: dict[str, Any]) -> str:
    leaf = Issuer()
    return leaf.token(claims, x5c=x5c(certificate("leaf", leaf.key, issuer.name, issuer.key, days=(1, 2))))


def _key_that_came_along(issuer: Issuer, claims: dict[str, Any]) -> str:
    forger = Issuer()
    return forger.token(claims, jwk=tokens._as_jwk(forger.key.public_key()))


def _key_by_a_name_nobody_has(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.token(claims, kid="../../etc/passwd")


def _no_key(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.token(claims, typ="JWT")


def _no_certificates(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.token(claims, x5c=[])


def _extensions(issuer: Issuer, claims: dict[str, Any]) -> str:
    return issuer.token(claims, x5c=x5c(issuer.certificate), crit=["b64"], b64=False)


def _changed_afterwards(issuer: Issuer, claims: dict[str, Any]) -> str:
    head, _, signature = issuer.token({**claims, "access": []}).split(".")
    return f"{head}.{unsigned(claims, {}).split('.')[1]}.{signature}"


def _der_signature(issuer: Issuer, claims: dict[str, Any]) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256

    signed = unsigned(claims, {"alg": "ES256", "x5c": x5c(issuer.certificate)})
    return f"{signed}.{jws.encode(issuer.key.sign(signed.encode(), ec.ECDSA(SHA256())))}"


@pytest.mark.parametrize(
    "forge",
    [
        _none,
        _none_with_something,
        _shared_secret,
        _wrong_algorithm,
        _no_algorithm,
        _own_certificate,
        _foreign_key_under_the_right_certificate,
        _same_name_of_the_authority,
        _leaf_as_authority,
        _expired_certificate,
        _certificate_of_tomorrow,
        _key_that_came_along,
        _key_by_a_name_nobody_has,
        _no_key,
        _no_certificates,
        _extensions,
        _changed_afterwards,
        _der_signature,
    ],
    ids=lambda forge: forge.__name__.strip("_"),
)
def test_forged(ask: Ask, api: Api, issuer: Issuer, forge: Callable[[Issuer, dict[str, Any]], str]) -> None:
    claims = issuer.claims(("repository", api.gun, ["pull"]))
    assert ask(issuer.token(claims)).status_code == 200  # the claims are good, so it is the forgery that is refused
    answer = ask(forge(issuer, claims))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].endswith(',error="invalid_token"')


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody else"},
        {"iss": None},
        {"aud": "registry"},
        {"aud": ["registry", "other"]},
        {"aud": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": True},
        {"nbf": 4_102_444_800},
        {"nbf": "soon"},
        {"access": "everything"},
        {"access": [{"type": "repository", "name": "x", "actions": "pull"}]},
        {"access": ["*"]},
    ],
    ids=str,
)
def test_wrong_claims(ask: Ask, api: Api, issuer: Issuer, changed: dict[str, Any]) -> None:
    claims = issuer.claims(("repository", api.gun, ["pull"])) | changed
    answer = ask(issuer.token(claims))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].endswith(',error="invalid_token"')


def test_an_audience_may_be_a_list(ask: Ask, api: Api, issuer: Issuer) -> None:
    claims = issuer.claims(("repository", api.gun, ["pull"]), aud=["registry", "notary"])
    assert ask(issuer.token(claims)).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "e30.e30.e30", "e30.e30", "e30.e30.e30.e30", "W10.W10.e30", "ä.b.c", "x" * 20_000],
    ids=lambda text: text[:12],
)
def test_no_tokens_at_all(ask: Ask, text: str) -> None:
    assert ask(text.encode().decode("latin-1")).status_code == 401


def test_duplicate_members_could_mean_two_things(issuer: Issuer) -> None:
    head = jws.encode(b'{"alg":"ES256","alg":"none"}')
    with pytest.raises(jws.UnreadableToken):
        jws.Jws.parse(f"{head}.e30.e30")


def test_basic_is_not_asked_for(ask: Ask) -> None:
    assert ask("YWRtaW46YWRtaW4=", scheme="Basic").status_code == 401


def test_a_token_that_was_good_ends(ask: Ask, api: Api, issuer: Issuer) -> None:
    """What was checked once is kept, but not its time."""
    token = issuer.token(issuer.claims(("repository", api.gun, ["pull"])))
    assert ask(token).status_code == 200
    with time_machine.travel(timezone.now() + DAY, tick=False):
        assert ask(token).status_code == 401


# Settings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("REALM", "", "needs realm as well"),
        ("SERVICE", "", "needs service as well"),
        ("ISSUER", "", "needs issuer as well"),
        ("BUNDLE", "", "needs bundle as well"),
        ("BUNDLE", "/nowhere", "cannot be read from /nowhere"),
        ("BUNDLE", __file__, "cannot be read"),
        ("REALM", 'https://x/",scope="', "no quotes"),
        ("SERVICE", "a\r\nb", "visible ASCII"),
    ],
)
def test_settings_that_name_no_issuer_are_refused(
    closed: None, settings: Settings, name: str, value: str, sentence: str
) -> None:
    setattr(settings, f"TRUST_SERVER_AUTH_{name}", value)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        auth.doorkeeper()


# Metrics


def test_metrics_carry_notarys_names(api: Api, owner: Publisher) -> None:
    before = _count(api)
    api.get("root.json")
    api.get("targets/nobody.json")
    after = _count(api)
    assert (
        after['{code="200",method="get",operation="GetRole"}']
        == before.get('{code="200",method="get",operation="GetRole"}', 0) + 1
    )
    assert after['{code="404",method="get",operation="GetRole"}'] >= 1
    text = api.client.get("/metrics").content.decode()
    for name in ("request_duration_microseconds", "request_size_bytes", "response_size_bytes"):
        for part in ("sum", "count"):
            assert f'notary_server_http_{name}_{part}{{operation="DeleteTUF"}}' in text


def _count(api: Api) -> dict[str, float]:
    answer = api.client.get("/metrics")
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    prefix = "notary_server_http_requests_total"
    lines = [line for line in answer.content.decode().splitlines() if line.startswith(prefix)]
    return {line[len(prefix) :].rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_a_scope_detail_is_plain_json(ask: Ask) -> None:
    assert json.loads(ask(name="timestamp.key").content)["errors"][0]["detail"][0]["Action"] == "push"
