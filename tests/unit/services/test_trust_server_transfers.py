"""Imports and exports are asked for by administrators, with everything their way takes, sealed."""

from __future__ import annotations

from typing import Any

import pytest

from signing.adapters.unsealing import take_secrets
from signing.errors import Conflict, NotAllowed
from signing.models import Key, Operation, SealedSecret
from signing.selectors import trust_server_tables
from signing.services.operations import retry_operation
from signing.services.trust_server_transfers import MOST_GUNS, export_repositories, import_repositories
from signing.trust.errors import InvalidInput, InvalidName
from tests.factories import PASSPHRASE, Cast, make_key

DATABASE = "postgres://notary:a-password@db/signer"
GUNS = ("registry.test/team/app", " registry.test/team/web ", "", "registry.test/team/app")


def bring(cast: Cast, **changed: Any) -> Operation:
    given: dict[str, Any] = {"actor": cast.admin, "source": cast.account.trust_server, "guns": GUNS} | changed
    return import_repositories(**given)


def give(cast: Cast, **changed: Any) -> Operation:
    given: dict[str, Any] = {
        "actor": cast.admin,
        "guns": GUNS,
        "server_database": "postgresql://db/server",
        "signer_database": DATABASE,
        "signer_alias": "alias",
        "signer_passphrase": "words",
    }
    return export_repositories(**given | changed)


def test_a_mirror_takes_no_secret(cast, one_event):
    with one_event("import_repositories"):
        operation = bring(cast)
    guns = ["registry.test/team/app", "registry.test/team/web"]
    assert operation.parameters == {"source": cast.account.trust_server.name, "guns": guns, "way": "mirror"}
    assert (operation.kind, operation.step, operation.account) == ("import_trust", "import_trust", None)
    assert not SealedSecret.objects.exists()


def test_what_opens_the_signers_keys_is_sealed(cast):
    operation = bring(cast, way="signer", signer_database=DATABASE, signer_passphrase="words")
    assert "a-password" not in str(operation.parameters)
    assert take_secrets(operation) == {"signer_database": DATABASE, "passphrase": "words"}


def test_a_root_key_comes_with_its_passphrase_where_it_has_one(cast):
    operation = bring(cast, way="root", root_key=make_key(cast.account, "root"), root_passphrase=PASSPHRASE)
    assert take_secrets(operation) == {"root": PASSPHRASE}
    unattended = make_key(cast.foreign, "root", is_unattended=True)
    assert bring(cast, way="root", root_key=unattended).key == unattended


def test_an_export_seals_both_databases(cast, one_event):
    with one_event("export_repositories"):
        operation = give(cast)
    assert operation.parameters["alias"] == "alias"
    assert set(take_secrets(operation)) == {"server_database", "signer_database", "passphrase"}


@pytest.mark.parametrize(
    "changed",
    [
        {"way": "else"},
        {"way": "signer"},
        {"way": "signer", "signer_database": DATABASE},
        {"way": "signer", "signer_database": "mysql://db/signer", "signer_passphrase": "words"},
        {"way": "root"},
        {"guns": ["", " "]},
        {"guns": [f"registry.test/team/{number}" for number in range(MOST_GUNS + 1)]},
        {"guns": ["no host\n"]},
    ],
    ids=lambda changed: str(changed)[:40],
)
def test_what_is_missing_or_wrong_queues_nothing(cast, changed):
    with pytest.raises((InvalidInput, InvalidName)):
        bring(cast, **changed)
    assert not Operation.objects.exists()


def test_a_root_key_needs_its_passphrase_and_to_be_one(cast):
    with pytest.raises(InvalidInput, match="passphrase"):
        bring(cast, way="root", root_key=make_key(cast.account, "root"))
    with pytest.raises(InvalidInput, match="root key"):
        bring(cast, way="root", root_key=cast.alice.key, root_passphrase=PASSPHRASE)
    Key.objects.update(custody=Key.Custody.CLIENT)
    held_elsewhere = Key.objects.get(purpose="root")
    with pytest.raises(InvalidInput, match="root key"):
        bring(cast, way="root", root_key=held_elsewhere, root_passphrase="x")


@pytest.mark.parametrize("changed", [{"signer_alias": " "}, {"server_database": "db"}, {"signer_passphrase": ""}])
def test_an_export_without_all_of_it_is_refused(cast, changed):
    with pytest.raises(InvalidInput):
        give(cast, **changed)


def test_the_built_in_server_is_no_source(cast):
    cast.account.trust_server.is_builtin = True
    with pytest.raises(InvalidInput, match="itself"):
        bring(cast)


@pytest.mark.parametrize("person", ["lead", "auditor", "outsider"])
def test_only_an_administrator_moves_repositories(cast, person):
    for ask in (bring, give):
        with pytest.raises(NotAllowed):
            ask(cast, actor=getattr(cast, person))


def test_with_data_elsewhere_it_names_the_command(cast, monkeypatch):
    monkeypatch.setattr(trust_server_tables, "are_here", lambda: False)
    for ask in (bring, give):
        with pytest.raises(Conflict, match="another database"):
            ask(cast)


def test_a_failed_one_is_started_anew(cast):
    operation = bring(cast)
    Operation.objects.update(state=Operation.State.FAILED)
    with pytest.raises(Conflict, match="used up"):
        retry_operation(actor=cast.admin, operation=operation)
