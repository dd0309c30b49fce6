"""Keys in tokens and key services are enrolled by the signing worker, for the repositories of their list."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signing import jobs
from signing.adapters.held_keys import held_keys
from signing.errors import KeyNotForRepository, NotAllowed
from signing.locations import parse_location
from signing.models import Key, Operation
from signing.services.held_keys import change_allowed_guns, enrol_held_key
from signing.trust.errors import InvalidInput
from tests.parts.key_services import key_services

ALL = ["registry.test:5000/team/*"]


@pytest.mark.loopback
def test_a_key_of_vault_is_enrolled_and_signs_for_its_list_only(cast, settings, one_event):
    with key_services() as services:
        services.keys["robot"] = ec.generate_private_key(ec.SECP256R1())
        settings.VAULT_ADDR, settings.VAULT_TOKEN = services.url, services.token
        given = {"actor": cast.lead, "account": cast.account, "name": "robot", "location": "vault:transit/robot"}
        with one_event("enrol_held_key"):
            operation = enrol_held_key(**given, allowed_guns=[cast.repository.gun])
        jobs.enrol_key(operation.pk)
        operation = Operation.objects.get(pk=operation.pk)
        assert (operation.state, operation.error) == ("done", "")
        key = Key.objects.get(custody="remote")
        assert (operation.key, key.asks_passphrase, key.proved_at is not None) == (key, False, True)
        assert held_keys(cast.account, [key], {}, repository=cast.repository).open(key.key_id).sign(b"signed")
        with pytest.raises(KeyNotForRepository):
            held_keys(cast.account, [key], {}).open(key.key_id)
        with one_event("change_allowed_guns"):
            change_allowed_guns(actor=cast.lead, key=key, allowed_guns=["registry.test:5000/team/other"])
        with pytest.raises(KeyNotForRepository):
            held_keys(cast.account, [key], {}, repository=cast.repository).open(key.key_id)


def test_only_leads_enrol_what_the_workers_credentials_open(cast):
    for location, given in (("vault:transit/robot", {"allowed_guns": ALL}), ("pkcs11:token=ops;object=alice", {})):
        with pytest.raises(NotAllowed):
            enrol_held_key(actor=cast.signer, account=cast.account, name="alice2", location=location, **given)
    own = enrol_held_key(
        actor=cast.signer, account=cast.account, name="alice2", location="pkcs11:token=ops;object=alice", pin="2468"
    )
    assert own.parameters["location"] == "pkcs11:token=ops;object=alice"
    assert "2468" not in str(own.parameters)


@pytest.mark.parametrize("guns", [[], ["registry.test:5000/other/app"], ["*"], ["registry.test:5000/teammate/*"]])
def test_a_list_names_repositories_of_the_account(cast, guns):
    with pytest.raises(InvalidInput):
        enrol_held_key(
            actor=cast.lead, account=cast.account, name="robot", location="vault:transit/robot", allowed_guns=guns
        )


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:token=ops;object=alice;pin-value=2468",
        "pkcs11:token=ops;object=alice?module-path=/tmp/evil.so",
        "pkcs11:object=alice",
        "awskms:eu-central-1",
        "vault:transit/../sys",
        "https://vault.test/v1/transit",
        "vault:transit/a\nb",
        "",
    ],
)
def test_what_is_no_place_of_a_key(text):
    with pytest.raises(InvalidInput):
        parse_location(text)


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:token=My%20Token;object=alice",
        "pkcs11:token=ops;object=alice?pin-source=worker",
        "awskms:eu-central-1/alias/robot",
        "vault:transit/robot",
    ],
)
def test_a_place_is_written_as_it_was_read(text):
    assert str(parse_location(text)) == text
