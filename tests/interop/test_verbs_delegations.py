"""Delegations, witnesses, thresholds and staged changes: notary reads ours and we read notary's."""

from __future__ import annotations

from dataclasses import replace

from tests.interop.verbs import Home
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli

DIGEST = "ab" * 32


def ours(home: Home) -> dict[str, tuple[tuple[str, ...], int, tuple[str, ...]]]:
    rows = home.json("delegation", "list", home.gun)
    return {row["role"]: (tuple(sorted(row["key_ids"])), row["threshold"], tuple(row["paths"])) for row in rows}


def agree_on_delegations(home: Home, notary_cli: NotaryCli) -> None:
    """Fail unless notary lists the same roles, keys and thresholds; it prints paths in words of its own."""
    theirs = {
        name: (tuple(sorted(row.key_ids)), row.threshold) for name, row in notary_cli.delegations(home.gun).items()
    }
    assert {name: row[:2] for name, row in ours(home).items()} == theirs


def test_delegations_are_made_and_taken_back(signed: Home, notary_cli: NotaryCli) -> None:
    keys = [str(signed.key(name)) for name in ("one", "two")]

    signed.run("delegation", "add", signed.gun, "qa", *keys, "--paths", "rc-,beta-", "--threshold", "2").succeeded()

    agree_on_delegations(signed, notary_cli)
    assert notary_cli.delegations(signed.gun)["targets/qa"].paths == "beta- rc-"
    assert ours(signed)["targets/qa"][1:] == (2, ("rc-", "beta-"))
    first = ours(signed)["targets/qa"][0][0]
    signed.run("delegation", "add", signed.gun, "qa", "--threshold", "1").succeeded()
    signed.run("delegation", "remove", signed.gun, "qa", first, "--paths", "rc-").succeeded()
    agree_on_delegations(signed, notary_cli)
    signed.run("delegation", "purge", signed.gun, "--key", ours(signed)["targets/qa"][0][0], "--force").succeeded()
    assert ours(signed)["targets/qa"][0] == ()
    signed.run("delegation", "remove", signed.gun, "qa").succeeded()
    agree_on_delegations(signed, notary_cli)
    signed.agrees()
    signed.sign("v2")


def test_notary_delegates_and_we_list_it(signed: Home, notary_cli: NotaryCli) -> None:
    public = str(signed.key("qa"))
    signed.notary.run("delegation", "add", signed.gun, "targets/qa", public, "--paths", "rc-", "-p").succeeded()
    agree_on_delegations(signed, notary_cli)
    assert ours(signed)["targets/qa"][1:] == (1, ("rc-",))

    signed.run("sign", f"{signed.gun}:rc-1", "--digest", f"sha256:{DIGEST}", "--size", "523").succeeded()
    row = notary_cli.run("list", signed.gun, "-r", "targets/qa").succeeded().stdout
    assert "rc-1" in row
    signed.notary.run("delegation", "remove", signed.gun, "targets/qa", "-y", "-p").succeeded()
    agree_on_delegations(signed, notary_cli)


def test_notary_takes_the_last_key_and_we_go_on(signed: Home, notary_cli: NotaryCli) -> None:
    """Go then writes `null` for the list of keys."""
    (bob,) = signed.key_ids("bob")
    signed.notary.run("delegation", "remove", signed.gun, "targets/bob", bob, "-p").succeeded()
    assert ours(signed)["targets/bob"][0] == ()
    signed.run("signer", "add", "--key", str(signed.key("bob")), "bob", signed.gun).succeeded()
    agree_on_delegations(signed, notary_cli)


# witness


def orphan_releases(home: Home) -> None:
    """Leave releases signed by bob alone, and take bob's key out as notary does, without signing anew."""
    (alice,), (bob,) = home.key_ids("alice"), home.key_ids("bob")
    key_file = home.docker.private_dir / f"{alice}.key"
    text = key_file.read_text()
    key_file.unlink()
    home.sign("v2")
    key_file.write_text(text)
    key_file.chmod(0o600)
    home.notary.run("delegation", "remove", home.gun, "targets/releases", bob, "-p").succeeded()


def test_we_revive_what_lost_its_signature(signed: Home, consumer: DockerCli) -> None:
    orphan_releases(signed)
    consumer.pull_trusted(f"{signed.gun}:v2").failed()

    outcome = signed.run("witness", signed.gun, "releases").succeeded()

    assert "counts again" in outcome.stdout
    consumer.pull_trusted(f"{signed.gun}:v2").succeeded()
    signed.agrees()


def test_notary_revives_and_we_follow(signed: Home) -> None:
    orphan_releases(signed)
    signed.run("verify", f"{signed.gun}:v2").failed()

    signed.notary.run("witness", signed.gun, "targets/releases", "-p").succeeded()

    signed.run("verify", f"{signed.gun}:v2").succeeded()
    signed.agrees()


def test_every_role_is_signed_anew(signed: Home, consumer: DockerCli, notary_cli: NotaryCli) -> None:
    (row,) = signed.json("witness", signed.gun, "root", "targets", "alice", "releases")

    assert set(row["published"]) == {"root", "targets", "targets/alice", "targets/releases"}
    assert "v1" in notary_cli.list(signed.gun)
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.agrees()


# thresholds


def test_two_signatures_are_asked_for_by_everybody(signed: Home, consumer: DockerCli, notary_cli: NotaryCli) -> None:
    signed.run("delegation", "add", signed.gun, "releases", "--threshold", "2").succeeded()

    agree_on_delegations(signed, notary_cli)
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.sign("v2")
    signed.run("verify", f"{signed.gun}:v2").succeeded()
    (bob,) = signed.key_ids("bob")
    (signed.docker.private_dir / f"{bob}.key").unlink()
    refused = signed.run("sign", f"{signed.gun}:v3", "--digest", f"sha256:{DIGEST}", "--size", "1").failed()
    assert bob[:12] in refused.stderr
    signed.docker.make_image(f"{signed.gun}:v3", "three")
    signed.docker.sign(f"{signed.gun}:v3").failed()
    signed.agrees()


# staged changes


def test_we_publish_what_notary_staged(signed: Home, notary_cli: NotaryCli) -> None:
    public = str(signed.key("carol"))
    for role in ("targets/alice", "targets/releases"):
        signed.notary.run("addhash", signed.gun, "staged", "523", "--sha256", DIGEST, "-r", role).succeeded()
    signed.notary.run("delegation", "add", signed.gun, "targets/carol", public, "--all-paths").succeeded()
    signed.notary.run("remove", signed.gun, "v1", "-r", "targets/bob").succeeded()
    signed.notary.run("witness", signed.gun, "targets/bob").succeeded()

    listed = signed.json("status", signed.gun)
    assert [(row["action"], row["type"]) for row in listed] == [
        ("create", "target"),
        ("create", "target"),
        ("create", "delegation"),
        ("create", "delegation"),
        ("delete", "target"),
        ("update", "witness"),
    ]
    signed.run("publish", signed.gun).succeeded()

    assert notary_cli.list(signed.gun)["staged"].digest == DIGEST
    agree_on_delegations(signed, notary_cli)
    assert "No unpublished changes" in signed.notary.run("status", signed.gun).succeeded().stdout
    signed.agrees()


def test_notary_publishes_what_we_staged(signed: Home, notary_cli: NotaryCli) -> None:
    public = str(signed.key("carol"))
    given = ["--digest", f"sha256:{DIGEST}", "--size", "523"]
    signed.run("sign", f"{signed.gun}:staged", *given, "--stage").succeeded()
    signed.run("revoke", f"{signed.gun}:v1", "--stage").succeeded()
    signed.run("delegation", "add", signed.gun, "carol", public, "--paths", "rc-", "--stage").succeeded()
    signed.run("witness", signed.gun, "bob", "--stage").succeeded()

    theirs = signed.notary.run("status", signed.gun).succeeded().stdout
    assert theirs.count("staged") == 3
    signed.notary.run("publish", signed.gun).succeeded()

    assert signed.json("status", signed.gun) == []
    assert set(notary_cli.list(signed.gun)) == {"staged"}
    agree_on_delegations(signed, notary_cli)
    signed.run("delegation", "remove", signed.gun, "carol", "--stage").succeeded()
    signed.notary.run("publish", signed.gun).succeeded()
    agree_on_delegations(signed, notary_cli)
    signed.agrees()


def test_staged_changes_are_taken_back_on_either_side(signed: Home) -> None:
    for tag in ("a", "b", "c"):
        signed.run(
            "sign", f"{signed.gun}:{tag}", "--digest", f"sha256:{DIGEST}", "--size", "1", "--role", "alice", "--stage"
        ).succeeded()
    signed.run("reset", signed.gun, "-n", "1").succeeded()
    signed.notary.run("reset", signed.gun, "-n", "0").succeeded()
    assert [row["path"] for row in signed.json("status", signed.gun)] == ["c"]
    signed.notary.run("reset", signed.gun, "--all").succeeded()
    assert signed.run("publish", signed.gun).code == 3


def test_a_purge_notary_staged_is_published(signed: Home, notary_cli: NotaryCli) -> None:
    (bob,) = signed.key_ids("bob")
    signed.notary.run("delegation", "purge", signed.gun, "--key", bob).succeeded()
    signed.run("publish", signed.gun, "--force").succeeded()
    assert all(bob not in row[0] for row in ours(signed).values())
    agree_on_delegations(signed, notary_cli)


def test_a_repository_of_notary_init(home: Home, notary_cli: NotaryCli) -> None:
    """Its snapshot key is with the client: we sign snapshots with it, and give it to the server when asked."""
    notary = replace(notary_cli, trust_dir=home.docker.trust_dir)
    notary.run("init", home.gun, "-p").succeeded()

    home.run("signer", "add", "--key", str(home.key("alice")), "alice", home.gun).succeeded()
    home.run("sign", f"{home.gun}:v1", "--digest", f"sha256:{DIGEST}", "--size", "523").succeeded()
    assert "v1" in notary.list(home.gun)
    home.run("key", "rotate", home.gun, "snapshot", "--to-server").succeeded()
    home.sign("v2")
    assert set(notary.list(home.gun)) == {"v1", "v2"}
    home.agrees()
