"""A server for some registries only: what it says of every other repository (notary-server's `gun_prefixes`)."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from signing.server import access
from tests.unit.server.conftest import Api, error_of
from tests.unit.trust.notary.publisher import GUN, Publisher


@pytest.fixture
def elsewhere(api: Api, owner: Publisher, settings: Settings) -> Api:
    """A repository that is stored and read, and then is outside of what the server serves."""
    assert api.get("root.json").status_code == 200
    settings.TRUST_SERVER_GUN_PREFIXES = ("a.example/", "b.example/team/")
    return api


def test_a_publish_is_refused_with_notarys_words(elsewhere: Api, owner: Publisher) -> None:
    answer = elsewhere.publish(("targets/alice", owner.tags()))
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "INVALID_GUN")
    assert error["detail"] == "Require GUNs with prefix: [a.example/ b.example/team/]"


def test_everything_else_is_not_found(elsewhere: Api) -> None:
    answers = [elsewhere.get(name) for name in ("root.json", "1.root.json", "timestamp.key")]
    answers += [elsewhere.delete(), elsewhere.client.post(elsewhere.path("timestamp.key"))]
    answers.append(elsewhere.client.get(f"/v2/{GUN}/_trust/changefeed?records=1"))
    assert [answer.status_code for answer in answers] == [404] * 6
    assert {error_of(answer)["code"] for answer in answers} == {"METADATA_NOT_FOUND"}


def test_nothing_of_it_is_answered_from_memory_or_received(elsewhere: Api) -> None:
    publish = {"REQUEST_METHOD": "POST", "PATH_INFO": f"/v2/{GUN}/_trust/tuf/"}
    assert not access.may_read({}, GUN)
    assert not access.may_upload(publish)
    assert access.may_read({}, "a.example/app")
    assert access.may_upload(publish | {"PATH_INFO": "/v2/b.example/team/app/_trust/tuf/"})
    assert not access.may_read({}, "b.example/teamster/app")


def test_what_begins_so_is_served(elsewhere: Api) -> None:
    inside = Api(elsewhere.client, "b.example/team/app")
    assert inside.publish(files=inside.publisher().first()).status_code == 200
    assert inside.get("root.json").status_code == 200


@pytest.mark.parametrize("prefix", ["a.example", "/a/", "a/../", "/", "a b/", "a/,b/"])
def test_what_is_no_prefix(prefix: str) -> None:
    options = ["--auth", "none", "--tls-cert", "/nowhere", "--tls-key", "/nowhere", "--gun-prefix", prefix]
    with pytest.raises(CommandError, match="A GUN prefix is"):
        call_command("trustserver", *options)
