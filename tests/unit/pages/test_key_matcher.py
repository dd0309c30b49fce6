"""The key matcher: whose a key is, and that it neither tells of foreign keys nor keeps private ones."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from signing.models import Key, TrustedMetadata, User
from signing.services.api_tokens import create_token
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.keys import PublicKey
from tests import trust_data
from tests.factories import Cast, make_account, make_repository, make_signer

from .reading import Page

SignIn = Callable[[User], Client]
URL = "/key-matcher/"


@pytest.fixture
def trusted(cast: Cast) -> Cast:
    trust_data.publish(cast.repository, cast.alice, tags=("1.0", "1.1"))
    return cast


def private_pem(form: str = "pkcs8", passphrase: bytes = b"") -> str:
    forms = {
        "pkcs8": serialization.PrivateFormat.PKCS8,
        "sec1": serialization.PrivateFormat.TraditionalOpenSSL,
        "openssh": serialization.PrivateFormat.OpenSSH,
    }
    closed = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return (
        ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, forms[form], closed).decode()
    )


def answer(client: Client, text: str) -> Page:
    response = client.post(URL, {"pem": text}, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain
    return Page(response)


def test_a_public_key_leads_to_its_owner_repositories_and_tags(trusted: Cast, as_person: SignIn) -> None:
    page = answer(as_person(trusted.developer), trusted.alice.key.public_pem)
    for text in ("signer key of team", "Sealed on this server", "signer alice", "1.0, 1.1", trusted.repository.gun):
        assert text in page.text
    assert page.offers(trusted.alice.get_absolute_url())


@pytest.mark.parametrize("length", [12, 20, 64])
def test_the_beginning_of_an_id_is_enough(trusted: Cast, as_person: SignIn, length: int) -> None:
    page = answer(as_person(trusted.auditor), f" {trusted.alice.key.key_id[:length].upper()}\n")
    assert trusted.alice.key.key_id in page.text


def test_a_root_key_is_found_by_its_own_id_and_by_that_of_its_certificate(trusted: Cast, as_person: SignIn) -> None:
    root = Key.objects.get(purpose="root")
    (certified,) = trusted.repository.administrative_keys["root"]
    assert certified != root.key_id
    client = as_person(trusted.lead)
    for text in (root.key_id, certified, root.public_pem):
        page = answer(client, text)
        assert "root key of team" in page.text
        assert certified in page.text
        assert trusted.repository.gun in page.text


def test_a_root_certificate_is_found_as_it_stands(trusted: Cast, as_person: SignIn) -> None:
    (certified,) = trusted.repository.administrative_keys["root"]
    data = TrustedMetadata.objects.get(repository=trusted.repository, role="root").data
    pem = PublicKey.from_json(orjson.loads(bytes(data))["signed"]["keys"][certified]).public.decode()
    Key.objects.filter(purpose="root").delete()
    page = answer(as_person(trusted.lead), pem)
    assert "Trusted here, not enrolled" in page.text
    assert "root key" in page.text


def test_the_repository_key_vouches_for_what_no_signer_signed(trusted: Cast, as_person: SignIn) -> None:
    trusted.repository.tags.filter(tag="1.1").update(signers=[])
    page = answer(as_person(trusted.lead), trusted.repository.administrative_keys["repository"][0])
    assert "repository key" in page.text
    assert "1.1" in page.text
    assert "1.0" not in page.text


def test_an_unknown_and_a_foreign_key_are_not_trusted_here(trusted: Cast, as_person: SignIn) -> None:
    hers = make_signer(trusted.foreign, "olga")
    theirs = make_repository(trusted.foreign, "app")
    trust_data.publish(theirs, hers, tags=("9.9",))
    theirs.refresh_from_db()
    client = as_person(trusted.lead)
    ids = [hers.key.key_id, *theirs.administrative_keys["root"], *theirs.administrative_keys["repository"]]
    texts = [*ids, hers.key.public_pem, PrivateKey.generate().public.to_pem(), "ab" * 32]
    pages = []
    for text in texts:
        page = answer(client, text)
        assert "Not trusted here" in page.text
        assert "olga" not in page.text
        pages.append(len(page.all("section")))
    assert len(set(pages)) == 1
    assert "olga" in answer(as_person(trusted.outsider), hers.key.key_id).text


@pytest.mark.parametrize(
    "text", ["", "abc", "f" * 11, "g" * 64, "f" * 65, "-----BEGIN PUBLIC KEY-----\nAAAA", "<b>x</b>"]
)
def test_what_is_neither_is_refused_and_not_repeated(trusted: Cast, as_person: SignIn, text: str) -> None:
    response = as_person(trusted.lead).post(URL, {"pem": text})
    assert response.status_code in (400, 422)
    field = Page(response).html.partition('name="pem"')[2].partition("</textarea>")[0]
    assert field.partition(">")[2].strip() == ""


CANARIES = [
    private_pem(),
    private_pem("sec1"),
    private_pem("openssh"),
    private_pem(passphrase=b"long enough"),
    PrivateKey.generate().public.to_pem() + private_pem(),
    private_pem("sec1") + PrivateKey.generate().public.to_pem(),
    '{"kty":"EC","crv":"P-256","x":"AAAA","y":"BBBB","d":"S3cretCanaryScalarThatNobodyMaySeeAnywhere0"}',
]


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("way", ["pasted", "file", "api"])
def test_private_material_is_refused_and_is_nowhere_afterwards(
    trusted: Cast,
    as_person: SignIn,
    canary: str,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    client = as_person(trusted.lead)
    if way == "api":
        response = client.post("/api/v1/key-matcher", {"pem": canary}, content_type="application/json")
    elif way == "file":
        response = client.post(URL, {"pem_file": SimpleUploadedFile("key.pem", canary.encode())})
    else:
        response = client.post(URL, {"pem": canary})
    assert response.status_code in (400, 422)
    told = response.content.decode()
    assert "This holds a private key. It was not read, kept or written down anywhere." in told
    logged = caplog.text + "".join(capfd.readouterr())
    stored = "".join(repr(row) for model in apps.get_models() for row in model._default_manager.values())
    for secret in secrets_of(canary):
        for place in (told, logged, stored, str(response.headers)):
            assert secret not in place


def secrets_of(canary: str) -> list[str]:
    """Take the lines that would give it away: all but headers and what public keys begin alike with."""
    lines = [line for line in canary.splitlines() if not line.startswith("-----") and len(line) > 30]
    assert lines
    return [line[-24:] for line in lines]


def test_an_upload_that_is_no_text_is_refused(trusted: Cast, as_person: SignIn) -> None:
    response = as_person(trusted.lead).post(URL, {"pem_file": SimpleUploadedFile("key.der", b"\x30\x82\xff\x00")})
    assert response.status_code == 400
    assert "That file is not PEM text" in response.content.decode()


def test_several_keys_of_one_text_are_all_looked_up(trusted: Cast, as_person: SignIn) -> None:
    bob = make_signer(trusted.account, "bob")
    page = answer(as_person(trusted.lead), trusted.alice.key.public_pem + bob.key.public_pem)
    assert trusted.alice.key.key_id in page.text
    assert bob.key.key_id in page.text
    assert "No repository that you see trusts it now" in page.text


def test_the_api_tells_the_same(trusted: Cast, as_person: SignIn) -> None:
    client = as_person(trusted.lead)
    found = client.post("/api/v1/key-matcher", {"pem": trusted.alice.key.public_pem}, content_type="application/json")
    (match,) = found.json()["matches"]
    assert (match["account"], match["owner"], match["custody"], match["signers"]) == (
        "team",
        "alice",
        "sealed",
        ["alice"],
    )
    assert match["places"] == [
        {"repository": trusted.repository.gun, "parts": ["signer alice"], "tags": ["1.0", "1.1"]}
    ]
    unknown = client.post("/api/v1/key-matcher", {"pem": "ab" * 32}, content_type="application/json")
    assert unknown.json() == {"key_ids": ["ab" * 32], "matches": []}


def test_a_token_that_may_not_read_finds_nothing(trusted: Cast, client: Client) -> None:
    _, raw = create_token(actor=trusted.lead, user=trusted.lead, name="ask", scopes=["request"], days=3)
    sent = {"pem": trusted.alice.key.key_id}
    headers = {"Authorization": f"Bearer {raw}"}
    answered = client.post("/api/v1/key-matcher", sent, content_type="application/json", headers=headers)
    assert answered.status_code == 403
    assert "may not read" in answered.json()["detail"]


def test_addresses_of_others_make_no_difference(trusted: Cast, as_person: SignIn) -> None:
    make_account("third")
    client = as_person(trusted.lead)
    assert "Not trusted here" in Page(client.get(URL, {"key": "0" * 12})).text
    assert "Not trusted here" not in Page(client.get(URL, {"key": "<script>"})).text
