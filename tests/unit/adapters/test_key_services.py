"""Keys in AWS KMS and Vault: signatures that verify, refusals by name, never a secret in what is said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing.adapters.key_services.sigv4 import Credentials, Scope, signed_headers
from signing.adapters.remote_keys import remote_key, require_allowed, service_at
from signing.errors import (
    BadKeyServiceAnswer,
    KeyIsExportable,
    KeyNotForRepository,
    KeyServiceDenied,
    KeyServiceUnreachable,
)
from signing.locations import ServiceLocation, parse_location
from signing.models import Key
from signing.trust.errors import FalseSignature, KeyNotHeld
from signing.trust.keystore.certificates import certificate_request
from signing.trust.tuf.keys import PublicKey
from tests.parts.key_services import KeyServices, key_services

pytestmark = pytest.mark.loopback
PLACES = ("awskms:eu-central-1/robot", "vault:transit/robot")


@pytest.fixture
def services(settings) -> Iterator[KeyServices]:
    with key_services() as made:
        made.keys["robot"] = ec.generate_private_key(ec.SECP256R1())
        settings.AWS_KMS_ENDPOINT = settings.VAULT_ADDR = made.url
        settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY = made.key_id, made.secret
        settings.VAULT_TOKEN = made.token
        yield made


def place(text: str) -> ServiceLocation:
    location = parse_location(text)
    assert isinstance(location, ServiceLocation)
    return location


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_it_signs_and_is_certified(services: KeyServices, where: str, kind: str) -> None:
    if kind == "rsa":
        services.keys["robot"] = rsa.generate_private_key(65537, 2048)
    public = service_at(place(where)).public()
    key = remote_key(place(where), public)
    method, signature = key.sign(b"signed")
    assert public.verifies(method, signature, b"signed")
    assert x509.load_pem_x509_csr(certificate_request(key, "robot").encode()).is_signature_valid


@pytest.mark.parametrize("where", PLACES)
def test_a_denial_says_why_and_no_secret(services: KeyServices, settings, where: str) -> None:
    public = service_at(place(where)).public()
    services.secret, services.token = "another", "another"
    services.answer = (403, f'{{"message": "no: {settings.VAULT_TOKEN} {settings.AWS_SECRET_ACCESS_KEY}"}}'.encode())
    with pytest.raises(KeyServiceDenied, match="does not allow that") as told:
        remote_key(place(where), public).sign(b"signed")
    used = settings.VAULT_TOKEN if where.startswith("vault") else settings.AWS_SECRET_ACCESS_KEY
    assert used not in str(told.value)
    services.answer = None
    with pytest.raises(KeyServiceDenied):
        remote_key(place(where), public).sign(b"signed")


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("answer", [(200, b"garbage"), (200, b"[]"), (200, b"{}"), (500, b""), (200, b"x" * 400_000)])
def test_garbage_is_one_plain_error(services: KeyServices, where: str, answer: tuple[int, bytes]) -> None:
    public = service_at(place(where)).public()
    services.answer = answer
    with pytest.raises(BadKeyServiceAnswer):
        remote_key(place(where), public).sign(b"signed")


def test_a_signature_by_another_key_is_not_used(services: KeyServices) -> None:
    location = place(PLACES[0])
    public = service_at(location).public()
    services.keys["robot"] = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(FalseSignature):
        remote_key(location, public).sign(b"signed")
    with pytest.raises(KeyNotHeld):
        remote_key(place(PLACES[1]), public).sign(b"signed")


def test_a_key_that_could_be_exported_is_not_used(services: KeyServices) -> None:
    services.exportable = True
    with pytest.raises(KeyIsExportable):
        service_at(place(PLACES[1])).public()


@pytest.mark.parametrize("where", PLACES)
def test_a_slow_or_absent_service(services: KeyServices, settings, where: str) -> None:
    settings.KEY_SERVICE_SECONDS = 0.2
    services.slow = threading.Event()
    with pytest.raises(KeyServiceUnreachable, match="does not answer"):
        service_at(place(where)).public()
    services.slow.set()
    settings.VAULT_TOKEN = settings.AWS_SECRET_ACCESS_KEY = ""
    with pytest.raises(KeyServiceUnreachable, match=r"no credentials|no Vault"):
        service_at(place(where))


def test_credentials_never_go_over_plain_http(settings) -> None:
    settings.VAULT_ADDR, settings.VAULT_TOKEN = "http://vault.test:8200", "secret"
    with pytest.raises(KeyServiceUnreachable, match="HTTPS only"):
        service_at(place(PLACES[1]))


@pytest.mark.parametrize(
    ("allowed", "gun", "may"),
    [
        (["r.test/team/app"], "r.test/team/app", True),
        (["r.test/team/*"], "r.test/team/app", True),
        (["r.test/team/*"], "r.test/teammate/app", False),
        (["r.test/team/app"], "r.test/team/app2", False),
        ([], "r.test/team/app", False),
        (["r.test/team/*"], "", False),
    ],
)
def test_a_key_signs_for_its_own_list_only(allowed: list[str], gun: str, may: bool) -> None:
    row = Key(name="robot", key_id="ab" * 32, allowed_guns=allowed)
    if may:
        require_allowed(row, gun)
    else:
        with pytest.raises(KeyNotForRepository):
            require_allowed(row, gun)


def test_requests_are_signed_the_same_at_the_same_moment() -> None:
    who = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session")
    assert "wJalr" not in repr(who)
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    headers = signed_headers("kms.test", "/", {"X-Amz-Target": "T.A"}, b"{}", who, Scope("us-east-1", "kms"), now)
    assert headers["x-amz-security-token"] == "session"
    assert headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/kms/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
    )


def test_a_public_key_is_what_it_says(services: KeyServices) -> None:
    assert service_at(place(PLACES[0])).public() == PublicKey.from_loaded(services.keys["robot"].public_key())
