"""The changefeed and the odd arithmetic of its pages."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from signing.server.models import Change
from tests.unit.server.conftest import Api, error_of
from tests.unit.trust.notary.publisher import Publisher


def read(api: Api, query: str, *, whole_server: bool = False) -> list[dict[str, object]]:
    path = "/v2/_trust/changefeed" if whole_server else f"/v2/{api.gun}/_trust/changefeed"
    answer = json.loads(api.client.get(f"{path}?{query}").content)
    assert answer["count"] == len(answer["records"])
    return list(answer["records"])


def test_each_publish_and_deletion_is_a_row(api: Api, owner: Publisher) -> None:
    api.publish(("targets/alice", owner.tags()))
    digest = sha256(api.get("timestamp.json").content).hexdigest()
    api.delete()
    api.delete()
    first, second, deletion = read(api, "records=0")
    assert (first["Version"], second["Version"], second["SHA256"]) == (1, 2, digest)
    assert list(first) == ["ID", "CreatedAt", "GUN", "Version", "SHA256", "Category"]
    assert isinstance(first["ID"], str)
    assert (first["GUN"], first["Category"]) == (api.gun, "update")
    assert str(first["CreatedAt"]).endswith("Z")
    assert (deletion["Version"], deletion["SHA256"], deletion["Category"]) == (0, "", "deletion")


def test_a_feed_is_of_one_repository_or_of_all(api: Api, owner: Publisher) -> None:
    other = Api(api.client, "another/app")
    other.publish(files=other.publisher().first())
    assert [row["GUN"] for row in read(api, "records=9")] == [api.gun]
    assert [row["GUN"] for row in read(api, "records=9", whole_server=True)] == [api.gun, "another/app"]
    assert read(Api(api.client, "nobody/here"), "records=9") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("records=2", [0, 1]),
        ("records=0", [0, 1, 2, 3, 4]),
        ("records=2&change_id={1}", [2, 3]),
        ("records=2&change_id=", [0, 1]),
        ("records=9&change_id={4}", []),
        ("records=-2", [3, 4]),
        ("records=-2&change_id={3}", [1, 2]),
        ("records=2&change_id=-1", [3, 4]),
    ],
)
def test_pages(api: Api, owner: Publisher, query: str, expected: list[int]) -> None:
    for _ in range(4):
        api.publish()
    ids = [str(pk) for pk in Change.objects.order_by("pk").values_list("pk", flat=True)]
    assert [ids.index(str(row["ID"])) for row in read(api, query.format(*ids))] == expected


@pytest.mark.parametrize(
    "query",
    [
        "",
        "records=",
        "records=x",
        "records=1.5",
        "records=99999999999",
        "records=1&change_id=x",
        "records=--1",
        "records=²",
    ],
)
def test_parameters_that_are_no_integers(api: Api, query: str) -> None:
    answer = api.client.get(f"/v2/_trust/changefeed?{query}")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "INVALID_PARAMETERS")
