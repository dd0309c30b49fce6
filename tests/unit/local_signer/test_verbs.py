"""Signers, delegations, tags, staged changes and deletion, as a person at a shell sees them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from signing.local_signer.completion import candidates
from signing.local_signer.main import command_line
from tests.simulator import Simulator
from tests.unit.local_signer.conftest import DIGEST, GUN, OTHER_DIGEST, TrustCtl


@pytest.fixture
def signed(trustctl: TrustCtl) -> TrustCtl:
    """A home where alice and bob sign; v1 is signed."""
    trustctl.add_signer("alice")
    trustctl.add_signer("bob")
    assert trustctl.sign(f"{GUN}:v1").code == 0
    return trustctl


def tags(trustctl: TrustCtl) -> list[str]:
    return [row["SignedTag"] for row in trustctl.run("inspect", GUN).json[0]["SignedTags"]]


def remove_keys(trustctl: TrustCtl, *names: str) -> None:
    for name in names:
        assert trustctl.run("key", "remove", name, "--yes").code == 0


# init


def test_a_repository_is_initialised_once(trustctl: TrustCtl) -> None:
    outcome = trustctl.run("init", GUN)
    assert (outcome.code, outcome.stdout.startswith(f"{GUN} is initialised; its root key is ")) == (0, True)
    again = trustctl.run("init", GUN)
    assert (again.code, again.stdout) == (3, f"Nothing to change in {GUN}: it is so already.\n")


# signer remove


def test_a_signer_is_removed(signed: TrustCtl) -> None:
    outcome = signed.run("signer", "remove", "bob", GUN)
    assert outcome.code == 0
    assert "targets/bob is not delegated to any more." in outcome.stdout
    assert "v1 is signed by alice now (before: by alice, bob)." in outcome.stdout
    assert [signer["Name"] for signer in signed.run("inspect", GUN).json[0]["Signers"]] == ["alice"]
    assert tags(signed) == ["v1"]


def test_what_stops_verifying_is_named_before(signed: TrustCtl, simulator: Simulator) -> None:
    signed.run("signer", "remove", "bob", GUN)
    before = len(simulator.posted)
    outcome = signed.run("signer", "remove", "alice", GUN)
    assert outcome.code == 1
    assert "Nobody could sign targets/releases" in outcome.stderr
    assert "v1" in outcome.stderr
    assert "--force" in outcome.stderr
    assert len(simulator.posted) == before
    (row,) = signed.run("signer", "remove", "alice", GUN, "--force", "--json").json
    assert any(text.startswith("v1 is not signed any more") for text in row["changes"])


def test_a_signer_who_is_none(signed: TrustCtl) -> None:
    outcome = signed.run("signer", "remove", "carol", GUN, "--json")
    assert outcome.code == 1
    assert outcome.json[0]["error"]["code"] == "no_such_signer"
    assert outcome.stderr.splitlines()[-1] == f"error removing signer from: {GUN}"


# revoke


def test_a_tag_is_revoked(signed: TrustCtl) -> None:
    signed.sign(f"{GUN}:v2", f"{GUN}:v3")
    outcome = signed.run("revoke", f"{GUN}:v1", f"{GUN}:v2")
    assert outcome.code == 0
    assert len(outcome.stdout.splitlines()) == 2
    assert tags(signed) == ["v3"]
    assert "is not signed" in signed.run("revoke", f"{GUN}:v1").refused()


def test_a_tag_is_taken_out_of_one_role(signed: TrustCtl) -> None:
    outcome = signed.run("revoke", f"{GUN}:v1", "--role", "alice")

    assert (outcome.code, outcome.stdout) == (0, "targets/alice does not sign v1 any more.\n")
    assert signed.run("verify", f"{GUN}:v1").code == 0, "it is still released"
    assert "has no tag 'v1'" in signed.run("revoke", f"{GUN}:v1", "--role", "targets/alice").refused()
    assert "leave --role out" in signed.run("revoke", GUN, "--role", "alice").refused()
    assert signed.run("revoke", f"{GUN}:v1", "--role", "releases", "--stage").code == 0
    assert signed.run("publish", GUN).code == 0
    signed.run("verify", f"{GUN}:v1").refused()


def test_a_whole_repository_is_revoked(signed: TrustCtl) -> None:
    assert "--yes" in signed.run("revoke", GUN).refused()
    assert tags(signed) == ["v1"]
    assert signed.run("revoke", GUN, "--yes").code == 0
    assert tags(signed) == []
    again = signed.run("revoke", GUN, "--yes", "--json")
    assert (again.code, again.json[0]["changed"]) == (3, False)


def test_a_digest_is_no_tag(signed: TrustCtl) -> None:
    signed.run("revoke", f"{GUN}@{DIGEST}").refused()


# sign in one role


def test_a_role_is_signed_alone(signed: TrustCtl) -> None:
    (row,) = signed.sign(f"{GUN}:v2", "--role", "alice", "--json").json
    assert row["tags"][0]["released"] is False
    assert set(row["published"]) == {"targets/alice"}
    assert tags(signed) == ["v1"]
    assert "not released" in signed.sign(f"{GUN}:v4", "--role", "alice").stdout
    signed.sign(f"{GUN}:v2", "--role", "carol").refused()


# delegations


def test_delegations_are_made_listed_and_taken_back(signed: TrustCtl) -> None:
    one, two = signed.generate("one"), signed.generate("two")
    added = signed.run("delegation", "add", GUN, "qa", str(one), str(two), "--paths", "rc-,beta-", "--threshold", "2")
    assert (added.code, "for tags beginning with rc-, beta-" in added.stdout) == (0, True)
    rows = {row["role"]: row for row in signed.run("delegation", "list", GUN, "--json").json}
    assert rows["targets/qa"]["paths"] == ["rc-", "beta-"]
    assert rows["targets/qa"]["threshold"] == 2
    assert set(rows) == {"targets/alice", "targets/bob", "targets/releases", "targets/qa"}
    first = rows["targets/qa"]["key_ids"][0]
    assert "Nobody could sign" in signed.run("delegation", "remove", GUN, "qa", first[:12]).stderr
    assert signed.run("delegation", "add", GUN, "qa", "--threshold", "1").code == 0
    assert signed.run("delegation", "remove", GUN, "qa", first[:12], "--paths", "rc-").code == 0
    assert "beta-" in signed.run("delegation", "list", GUN).stdout
    assert signed.run("delegation", "remove", GUN, "qa").code == 0
    assert "qa" not in signed.run("delegation", "list", GUN).stdout


def test_adding_what_is_there_changes_nothing(signed: TrustCtl) -> None:
    again = signed.run("delegation", "add", GUN, "alice", str(signed.home / "alice.pub"), "--all-paths")
    assert (again.code, again.stdout) == (3, f"Nothing to change in {GUN}: it is so already.\n")
    assert "nothing to add" in signed.run("delegation", "add", GUN, "alice").refused()


def test_a_key_is_purged(signed: TrustCtl) -> None:
    (bob,) = [key["key_id"] for key in signed.run("key", "list", "--json").json if key["role"] == "bob"]
    outcome = signed.run("delegation", "purge", GUN, "--key", bob, "--force")
    assert outcome.code == 0
    assert bob not in signed.run("delegation", "list", GUN).stdout
    assert signed.run("delegation", "purge", GUN, "--key", bob, "--force").code == 3


# witness


def test_a_role_is_signed_anew(signed: TrustCtl) -> None:
    outcome = signed.run("witness", GUN, "releases", "root")
    assert outcome.code == 0
    assert {line.partition(" was signed anew")[0] for line in outcome.stdout.splitlines()} == {
        "root",
        "targets/releases",
    }
    assert "--stage" in signed.run("witness", GUN, "root", "--stage").refused()


# staged changes


def test_changes_are_staged_listed_and_published(signed: TrustCtl, simulator: Simulator) -> None:
    before = len(simulator.posted)
    assert signed.sign(f"{GUN}:v2", "--stage").code == 0
    assert signed.run("revoke", f"{GUN}:v1", "--stage").code == 0
    assert len(simulator.posted) == before
    listed = signed.run("status", GUN, "--json").json
    assert [(row["action"], row["path"]) for row in listed[:3]] == [("create", "v2")] * 3
    assert "v1" in signed.run("status", GUN).stdout
    assert signed.run("publish", GUN).code == 0
    assert len(simulator.posted) == before + 1
    assert tags(signed) == ["v2"]
    assert signed.run("status", GUN, "--json").json == []
    again = signed.run("publish", GUN)
    assert (again.code, "no staged changes" in again.stdout) == (3, True)


def test_changes_are_taken_back(signed: TrustCtl) -> None:
    signed.sign(f"{GUN}:v2", f"{GUN}:v3", "--role", "alice", "--stage")
    assert signed.run("reset", GUN, "-n", "0").code == 0
    assert [row["path"] for row in signed.run("status", GUN, "--json").json] == ["v3"]
    assert signed.run("reset", GUN, "-n", "7").refused()
    assert signed.run("reset", GUN, "--all").code == 0
    assert signed.run("reset", GUN, "--all").code == 3
    assert signed.run("reset", GUN).code == 2


def test_a_publish_that_fails_keeps_the_staged_changes(signed: TrustCtl) -> None:
    signed.sign(f"{GUN}:v2", "--stage")
    remove_keys(signed, "alice", "bob")
    assert signed.run("publish", GUN).code == 1
    assert signed.run("status", GUN, "--json").json != []


# delete


def test_a_repository_is_forgotten_here_only(signed: TrustCtl, simulator: Simulator) -> None:
    signed.sign(f"{GUN}:v2", "--stage")
    assert signed.run("delete", GUN).code == 0
    assert signed.run("status", GUN, "--json").json == []
    assert signed.run("delete", GUN).code == 3
    assert "DELETE" not in simulator.asked
    assert tags(signed) == ["v1"]


def test_a_repository_is_deleted_on_the_server(signed: TrustCtl) -> None:
    assert "--yes" in signed.run("delete", GUN, "--remote").refused()
    outcome = signed.run("delete", GUN, "--remote", "--yes")
    assert (outcome.code, "deleted on the trust server" in outcome.stdout) == (0, True)
    signed.run("verify", f"{GUN}:v1").refused()
    assert signed.run("init", GUN).code == 0


# verify


def test_a_manifest_is_compared(signed: TrustCtl, tmp_path: Path) -> None:
    import hashlib

    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    signed.sign(f"{GUN}:v5", digest=f"sha256:{hashlib.sha256(b'{}').hexdigest()}")
    assert signed.run("verify", f"{GUN}:v5", "--manifest", str(manifest)).code == 0
    assert OTHER_DIGEST not in signed.run("verify", f"{GUN}:v1", "--manifest", str(manifest)).refused()


# errors as JSON


def test_an_error_is_json_too(trustctl: TrustCtl) -> None:
    outcome = trustctl.run("verify", f"{GUN}:v1", "--json")
    assert (outcome.code, outcome.json["error"]["code"]) == (1, "no_trust_data")


# completion


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["si"], ["sign", "sign-request", "signer"]),
        (["key", ""], None),
        (["key", "rot"], ["rotate"]),
        (["--server", "x", "delegation", "p"], ["purge"]),
        (["sign", "--dig"], ["--digest"]),
        (["sign", "--digest", ""], []),
        (["sign", "image:tag", ""], []),
        (["completion", "z"], ["zsh"]),
        (["completion", "w"], []),
        (["--server", "=", "https://x", "witn"], ["witness"]),
        (["archive", ""], ["restore", "serve", "take", "verify"]),
        (["archive", "--from-a"], ["--from-account"]),
        (["archive", "team/app", "--from-a"], ["--from-account"]),
        (["archive", "--from-account", "team", "--ra"], ["--rate"]),
        (["archive", "take", "--out"], []),
        (["nonsense", "key", "pass"], ["passwd"]),
    ],
)
def test_words_that_may_come_next(words: list[str], expected: list[str] | None) -> None:
    found = candidates(command_line(), words)
    if expected is None:
        assert {"generate", "rotate", "certificate"} <= set(found)
    else:
        assert found == expected


# documentation


def parsers(parser: argparse.ArgumentParser, name: str = "") -> dict[str, argparse.ArgumentParser]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    found = [parsers(item, f"{name} {word}".strip()) for action in below for word, item in action.choices.items()]
    return {path: item for level in found for path, item in level.items()} or {name: parser}


def test_every_command_but_completion_takes_json() -> None:
    without = [name for name, parser in parsers(command_line()).items() if "--json" not in parser.format_help()]
    assert without == ["completion"]


def test_every_command_is_documented() -> None:
    folder = Path(__file__).parents[3] / "docs"
    text = "\n".join(path.read_text() for path in folder.glob("*.md"))
    absent = [name for name in parsers(command_line()) if f"`{name}" not in text and f"trustctl {name}" not in text]
    assert absent == []
