"""The server's own keys: sealed, bound to their place, replaced by a root that names the next one."""

from __future__ import annotations

import json
import os
from io import StringIO

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from signing.server.models import OnlineKey
from signing.server.online_keys import OnlineKeys
from tests.unit.server.conftest import Api, error_of
from tests.unit.trust.notary.publisher import GUN, Publisher, sign


def test_a_key_is_given_as_notary_writes_it(api: Api) -> None:
    answer = api.get("timestamp.key")
    assert answer.content.startswith(b'{"keytype":"ecdsa","keyval":{"public":"')
    assert answer.content.endswith(b'","private":null}}')


def test_a_key_waits_until_a_root_names_it(api: Api) -> None:
    assert api.key("timestamp") == api.key("timestamp")
    assert api.key("timestamp") != api.key("snapshot")
    assert Api(api.client, "another/app").key("timestamp") != api.key("timestamp")


def test_the_key_in_use_is_the_one_the_root_names(api: Api, owner: Publisher) -> None:
    waiting = api.rotated_key("timestamp")
    assert waiting != owner.timestamp
    assert api.key("timestamp") == owner.timestamp
    assert api.rotated_key("timestamp") == waiting


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_a_rotation_takes_effect_with_the_root(api: Api, owner: Publisher, role: str) -> None:
    key = api.rotated_key(role)
    assert api.publish(("root", owner.root(2, **{role: key}))).status_code == 200
    assert api.key(role) == key
    assert [item["keyid"] for item in json.loads(api.get(f"{role}.json").content)["signatures"]] == [key.key_id]
    assert api.rotated_key(role) != key
    setattr(owner, role, key)
    assert api.publish(("root", owner.root(3))).status_code == 200


def test_the_snapshot_may_move_to_the_client_and_back(api: Api, owner: Publisher) -> None:
    held, owner.snapshot = owner.snapshot, None
    root, targets = owner.root(2), owner.targets(3)
    files = {"root": root, "targets": targets}
    assert error_of(api.publish(files=files))["code"] == "INVALID_UPDATE"
    assert api.publish(files=files | {"snapshot": owner.snapshot_of(files, version=2)}).status_code == 200
    assert held is not None
    assert api.publish(("root", owner.root(3, snapshot=api.key("snapshot")))).status_code == 200
    assert api.signed("snapshot.json")["version"] == 3


def test_other_roles_have_no_key_here(api: Api) -> None:
    for name in ("root.key", "targets.key", "targets/alice.key"):
        assert api.get(name).status_code == 404
        assert api.client.post(api.path(name)).status_code == 404


# At rest


def test_the_database_holds_no_private_byte(api: Api, owner: Publisher) -> None:
    for row in OnlineKey.objects.all():
        (key,) = OnlineKeys(GUN).open(row.role, [row.key_id])
        number = key.loaded.private_numbers().private_value.to_bytes(32)  # type: ignore[union-attr]
        der = key.loaded.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f'SELECT * FROM "{table}"')
                stored = b"".join(
                    bytes(cell) for line in cursor for cell in line if isinstance(cell, bytes | memoryview)
                )
                assert number not in stored
                assert der not in stored


def test_equal_keys_are_sealed_differently_each_time(api: Api) -> None:
    api.key("timestamp"), api.key("snapshot")
    first, second = (bytes(row.sealed) for row in OnlineKey.objects.all())
    assert first[:12] != second[:12]


@pytest.mark.parametrize("change", [{"gun": "another/app"}, {"role": "snapshot"}, {"key_id": "0" * 64}])
def test_a_key_moved_elsewhere_does_not_open(api: Api, change: dict[str, str]) -> None:
    api.key("timestamp")
    row = OnlineKey.objects.get()
    OnlineKey.objects.update(**change)
    place = {"gun": row.gun, "role": row.role, "key_id": row.key_id} | change
    with pytest.raises(InvalidTag):
        OnlineKeys(place["gun"]).open(place["role"], [place["key_id"]])


def test_a_changed_seal_does_not_open(api: Api) -> None:
    api.key("timestamp")
    row = OnlineKey.objects.get()
    OnlineKey.objects.update(sealed=bytes(row.sealed)[:-1] + bytes([bytes(row.sealed)[-1] ^ 1]))
    with pytest.raises(InvalidTag):
        OnlineKeys(row.gun).open(row.role, [row.key_id])


def test_under_another_master_key_nothing_is_signed_and_nothing_breaks(
    api: Api,
    owner: Publisher,
    settings: Settings,
) -> None:
    settings.TRUST_SERVER_MASTER_KEY = os.urandom(32)
    answer = api.publish(("targets/alice", owner.tags()))
    assert (answer.status_code, error_of(answer)["code"]) == (500, "UNKNOWN")
    assert api.get("timestamp.json").status_code == 200
    assert api.get("targets/alice.json").status_code == 404


def test_a_key_of_another_role_is_not_held(api: Api, owner: Publisher) -> None:
    assert owner.timestamp is not None
    assert OnlineKeys(GUN).open("snapshot", [owner.timestamp.key_id]) == []
    wrong = owner.root_metadata(2, snapshot=owner.timestamp)
    answer = api.publish(("root", sign(wrong.to_signed(), (owner.root_key, owner.certificate))))
    assert error_of(answer)["detail"]["Name"] == "ErrBadHierarchy"


def test_keys_are_marked_when_they_sign(api: Api) -> None:
    owner = api.publisher()
    assert OnlineKey.objects.filter(first_used_at=None).count() == 2
    api.publish(files=owner.first())
    assert not OnlineKey.objects.filter(first_used_at=None).exists()
    assert OnlineKey.objects.filter(first_used_at__lte=timezone.now()).count() == 2


# A new master key


def reseal_under(new: bytes, settings: Settings) -> str:
    settings.TRUST_SERVER_PREVIOUS_MASTER_KEY = settings.TRUST_SERVER_MASTER_KEY
    settings.TRUST_SERVER_MASTER_KEY = new
    output = StringIO()
    call_command("resealkeys", stdout=output)
    return output.getvalue()


def test_keys_move_to_a_new_master_key(api: Api, owner: Publisher, settings: Settings) -> None:
    assert reseal_under(os.urandom(32), settings) == "2 keys are sealed under the new master key.\n"
    settings.TRUST_SERVER_PREVIOUS_MASTER_KEY = None
    assert api.publish(("targets/alice", owner.tags())).status_code == 200


def test_servers_go_on_while_keys_move(api: Api, owner: Publisher, settings: Settings) -> None:
    settings.TRUST_SERVER_PREVIOUS_MASTER_KEY = settings.TRUST_SERVER_MASTER_KEY
    settings.TRUST_SERVER_MASTER_KEY = os.urandom(32)
    assert api.publish(("targets/alice", owner.tags())).status_code == 200


def test_an_interrupted_move_goes_on(api: Api, owner: Publisher, settings: Settings) -> None:
    old, new = settings.TRUST_SERVER_MASTER_KEY, os.urandom(32)
    untouched = OnlineKey.objects.order_by("pk").last()
    assert untouched is not None
    reseal_under(new, settings)
    OnlineKey.objects.filter(pk=untouched.pk).update(sealed=untouched.sealed)
    settings.TRUST_SERVER_MASTER_KEY = old
    assert reseal_under(new, settings).startswith("1 keys")


def test_without_the_right_previous_key_nothing_is_changed(api: Api, owner: Publisher, settings: Settings) -> None:
    before = list(OnlineKey.objects.values_list("sealed", flat=True))
    settings.TRUST_SERVER_MASTER_KEY = os.urandom(32)
    with pytest.raises(CommandError, match="neither of the two"):
        reseal_under(os.urandom(32), settings)
    settings.TRUST_SERVER_PREVIOUS_MASTER_KEY = None
    with pytest.raises(CommandError, match="is not set"):
        call_command("resealkeys")
    assert list(OnlineKey.objects.values_list("sealed", flat=True)) == before
