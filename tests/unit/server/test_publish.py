"""What a publish stores, and what it leaves untouched."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from signing.server import storage, writing
from signing.server.current_files import memory
from signing.server.models import Collection, MetadataFile
from signing.trust.notary import acceptance
from signing.trust.tuf.metadata import FileMeta, Target
from tests.unit.server.conftest import MULTIPART, Api, body_of, error_of
from tests.unit.trust.notary.publisher import Publisher, delegation, tag


def stored() -> list[tuple[str, int]]:
    return sorted(MetadataFile.objects.values_list("role", "version"))


def test_a_publish_answers_with_nothing(api: Api) -> None:
    answer = api.publish(files=api.publisher().first())
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_bytes_read_are_the_bytes_sent(api: Api, owner: Publisher) -> None:
    sent = json.dumps(json.loads(owner.tags()), indent=2).encode()
    assert api.publish(("targets/alice", sent)).status_code == 200
    assert api.get("targets/alice.json").content == sent
    assert api.get(f"targets/alice.{sha256(sent).hexdigest()}.json").content == sent


def test_a_readers_chain_of_hashes_leads_to_every_file(api: Api, owner: Publisher) -> None:
    api.publish(("targets/alice", owner.tags()), ("targets/releases", owner.tags(owner.bob)))
    name, visited = "timestamp.json", []
    todo = [name]
    while todo:
        name = todo.pop()
        visited.append(name.split(".")[0])
        for role, meta in api.signed(name).get("meta", {}).items():
            todo.append(f"{role}.{FileMeta.from_json(meta, role).sha256}.json")
    assert sorted(visited) == ["root", "snapshot", "targets", "targets/alice", "targets/releases", "timestamp"]


def test_a_json_suffix_is_no_part_of_the_role(api: Api) -> None:
    files = {f"{role}.json": data for role, data in api.publisher().first().items()}
    assert api.publish(files=files).status_code == 200
    assert ("targets", 2) in stored()


def test_more_roles_than_frameworks_allow_files(api: Api, owner: Publisher) -> None:
    names = [f"targets/s{number}" for number in range(150)]
    delegations = tuple(delegation(name, [owner.alice]) for name in names)
    files = {"targets": owner.targets(3, delegations=delegations)} | dict.fromkeys(names, owner.tags())
    assert api.publish(files=files).status_code == 200
    assert len(api.signed("snapshot.json")["meta"]) == 152


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([("Targets", b"{}")], 400, "INVALID_ROLE"),
        ([("targets/../x", b"{}")], 400, "INVALID_ROLE"),
        ([("targets\x00", b"{}")], 400, "INVALID_ROLE"),
        ([("", b"{}")], 400, "NO_FILENAME"),
        ([(".json", b"{}")], 400, "NO_FILENAME"),
        ([("targets", b"nope")], 400, "MALFORMED_JSON"),
        ([("timestamp", b"nope")], 400, "MALFORMED_JSON"),
        ([("targets", b"{}"), ("targets.json", b"{}")], 400, "INVALID_UPDATE"),
        ([], 400, "INVALID_UPDATE"),
    ],
)
def test_an_upload_is_refused(api: Api, parts: list[tuple[str, bytes]], status: int, code: str) -> None:
    answer = api.publish(*parts)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert stored() == []


def test_a_refusal_says_why_in_notarys_words(api: Api, owner: Publisher) -> None:
    answer = api.publish(("targets/alice", owner.tags(owner.bob)))
    assert json.loads(answer.content) == {
        "errors": [
            {
                "code": "INVALID_UPDATE",
                "message": "Update sent by the client is invalid.",
                "detail": {
                    "Name": "ErrBadTargets",
                    "Error": {"Msg": "valid signatures did not meet threshold for targets/alice"},
                },
            }
        ]
    }
    assert answer.content.endswith(b"\n")


def test_a_missing_snapshot_is_named(api: Api) -> None:
    owner = api.publisher()
    owner.snapshot = None
    detail = error_of(api.publish(files=owner.first()))["detail"]
    assert (detail["Name"], detail["Error"]["Missing"]) == ("ErrBadHierarchy", "snapshot")


def test_an_old_version_is_a_version_error(api: Api, owner: Publisher) -> None:
    before = stored()
    answer = api.publish(("targets", owner.targets(2)))
    assert answer.status_code == 400
    assert error_of(answer) == {
        "code": "VERSION",
        "message": "A newer version of metadata is already available.",
        "detail": {},
    }
    assert stored() == before


def test_one_bad_file_keeps_all_others_out(api: Api, owner: Publisher) -> None:
    before = stored()
    assert api.publish(("targets/releases", owner.tags()), ("targets/alice", b"{}")).status_code == 400
    assert api.publish(("targets", owner.targets(3)), ("targets/zz", owner.tags())).status_code == 400
    assert stored() == before


def test_a_publish_is_one_transaction(api: Api, owner: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    before, state = stored(), Collection.objects.get().state

    write = writing.move_on

    def fail(*arguments: Any) -> bool:
        write(*arguments)
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(writing, "move_on", fail)
    answer = api.publish(("targets/alice", owner.tags()))
    assert (answer.status_code, error_of(answer)["code"]) == (500, "UPDATING")
    assert (stored(), Collection.objects.get().state) == (before, state)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="needs a database whose size can be limited")
def test_a_full_disk_changes_nothing_and_passes(api: Api, owner: Publisher) -> None:
    before = stored()
    large = owner.tags(targets={f"v{number}": Target.from_digest("v", f"{number:064x}", 1) for number in range(3000)})
    with connection.cursor() as cursor:
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        answer = api.publish(("targets/alice", large))
        assert (answer.status_code, error_of(answer)["code"]) == (500, "UPDATING")
        assert stored() == before
        assert api.get("timestamp.json").status_code == 200
        assert api.get("targets/alice.json").status_code == 404
        cursor.execute("PRAGMA max_page_count = 1000000")
    assert api.publish(("targets/alice", large)).status_code == 200


def test_who_loses_a_race_for_a_version_hears_of_the_version(
    api: Api, owner: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = acceptance.accept
    rival = [owner.tags(targets=tag("rival"))]

    def slowly(*arguments, **options):  # type: ignore[no-untyped-def]
        accepted = accept(*arguments, **options)
        if rival:
            assert api.publish(("targets/alice", rival.pop())).status_code == 200
        return accepted

    monkeypatch.setattr(acceptance, "accept", slowly)
    answer = api.publish(("targets/alice", owner.tags(targets=tag("mine"))))
    assert error_of(answer)["code"] == "VERSION"
    assert list(api.signed("targets/alice.json")["targets"]) == ["rival"]


def test_publishers_of_different_roles_do_not_hinder_each_other(
    api: Api, owner: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = acceptance.accept
    rival = [owner.tags(owner.bob)]

    def slowly(*arguments, **options):  # type: ignore[no-untyped-def]
        accepted = accept(*arguments, **options)
        if rival:
            assert api.publish(("targets/releases", rival.pop())).status_code == 200
        return accepted

    monkeypatch.setattr(acceptance, "accept", slowly)
    assert api.publish(("targets/alice", owner.tags())).status_code == 200
    assert set(api.signed("snapshot.json")["meta"]) == {"root", "targets", "targets/alice", "targets/releases"}
    assert api.signed("timestamp.json")["version"] == 3


def test_a_refusal_counts_only_on_the_newest_state(api: Api, owner: Publisher) -> None:
    """What this process remembers may be another one's past."""
    past = memory.get(api.gun)
    assert past is not None
    carol = [delegation("targets/carol", [owner.alice])]
    assert api.publish(("targets", owner.targets(3, delegations=tuple(carol)))).status_code == 200
    memory.put(api.gun, past)
    assert api.publish(("targets/carol", owner.tags())).status_code == 200
    assert api.delete().status_code == 200
    memory.put(api.gun, past)
    assert api.publish(files=owner.first()).status_code == 200


def test_a_repository_deleted_in_between_is_not_half_revived(
    api: Api, owner: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = acceptance.accept

    def slowly(*arguments, **options):  # type: ignore[no-untyped-def]
        accepted = accept(*arguments, **options)
        storage.delete(api.gun)
        return accepted

    monkeypatch.setattr(acceptance, "accept", slowly)
    assert api.publish(("targets/alice", owner.tags())).status_code == 400
    assert stored() == []


def test_an_upload_beyond_the_limit_is_refused_unread(api: Api, settings: Settings) -> None:
    settings.TRUST_SERVER_LARGEST_UPLOAD = 1000
    answer = api.send(b"x" * 1001)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "MALFORMED_UPLOAD")


def test_an_upload_in_chunks_is_read_to_its_end(api: Api, settings: Settings) -> None:
    body = body_of(*api.publisher().first().items())
    assert sent_raw(api, body, length="").status_code == 200
    settings.TRUST_SERVER_LARGEST_UPLOAD = 1000
    assert sent_raw(api, body, length="").status_code == 413


@pytest.mark.parametrize("length", ["99999", "0", "-1", "x"])
def test_an_upload_of_another_length_than_announced_is_malformed(api: Api, length: str) -> None:
    answer = sent_raw(api, body_of(*api.publisher().first().items()), length)
    assert error_of(answer)["code"] == "MALFORMED_UPLOAD"


def sent_raw(api: Api, body: bytes, length: str) -> HttpResponse:
    """Send a body past the test client's own idea of its length."""
    raw = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return api.client.generic("POST", api.path(), CONTENT_TYPE=MULTIPART, **raw)


@pytest.mark.parametrize(
    "gun",
    [
        "a/../b",
        "a//b",
        "./a",
        "a/.",
        "a b",
        "a%00b",
        "a%0d%0ab",
        "a%0a",
        "a\\b",
        "ä/b",
        "a/_trust/b",
        "x" * 256,
        "a%25",
    ],
)
def test_a_name_that_could_mean_two_things_is_refused(api: Api, gun: str) -> None:
    api.gun = gun
    assert error_of(api.publish(("root", b"{}")))["code"] == "INVALID_GUN"
    for answer in (api.get("root.json"), api.get("timestamp.key"), api.delete()):
        assert (answer.status_code, error_of(answer)["code"]) == (404, "METADATA_NOT_FOUND")
    assert not Collection.objects.exists()


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")  # X.509 ends names at 64, Notary does not
@pytest.mark.parametrize(
    "gun", ["app", "127.0.0.1:5000/team/app", "docker.io/library/Alpine", "a/b/c/d/e/f", "x" * 255]
)
def test_ordinary_names_are_taken(api: Api, gun: str) -> None:
    api.gun = gun
    assert api.publish(files=api.publisher().first()).status_code == 200
    assert api.signed("root.json")["version"] == 1
