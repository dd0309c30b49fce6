"""Signers and tags: what trustctl changes, judged by docker's pull and `notary delegation list`, and the other way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.interop.verbs import Home
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli


def test_a_removed_signer_is_gone_and_tags_stay_pullable(
    signed: Home, consumer: DockerCli, notary_cli: NotaryCli
) -> None:
    """docker's own command changes nothing, so notary has to judge."""
    (bob,) = signed.key_ids("bob")

    signed.run("signer", "remove", "bob", signed.gun).succeeded()

    listed = notary_cli.delegations(signed.gun)
    assert set(listed) == {"targets/alice", "targets/releases"}
    assert bob not in listed["targets/releases"].key_ids
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.agrees()
    signed.sign("v2")
    consumer.pull_trusted(f"{signed.gun}:v2").succeeded()


def test_what_only_the_removed_signer_released_is_signed_anew(signed: Home, consumer: DockerCli) -> None:
    (alice,) = signed.key_ids("alice")
    key_file = signed.docker.private_dir / f"{alice}.key"
    text = key_file.read_text()
    key_file.unlink()
    signed.sign("v2")
    key_file.write_text(text)
    key_file.chmod(0o600)

    signed.run("signer", "remove", "bob", signed.gun).succeeded()

    consumer.pull_trusted(f"{signed.gun}:v2").succeeded()
    signed.agrees()


def test_the_last_signer_goes_only_by_force(signed: Home, consumer: DockerCli) -> None:
    signed.run("signer", "remove", "bob", signed.gun).succeeded()

    refused = signed.run("signer", "remove", "alice", signed.gun).failed()
    assert "v1" in refused.stderr
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    outcome = signed.run("signer", "remove", "alice", signed.gun, "--force").succeeded()

    assert "v1 is not signed any more" in outcome.stdout
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").failed()


def test_a_signer_comes_back_after_losing_the_key(signed: Home, consumer: DockerCli) -> None:
    """With docker alone that name is dead: its role starts again at version 1, which the server refuses."""
    signed.run("signer", "remove", "alice", signed.gun).succeeded()
    (lost,) = signed.key_ids("alice")
    (signed.docker.private_dir / f"{lost}.key").unlink()
    signed.run("signer", "add", "--key", str(signed.key("alice")), "alice", signed.gun).succeeded()
    digest, size = pushed(signed, "v2")

    signed.run("sign", f"{signed.gun}:v2", "--digest", digest, "--size", size).succeeded()

    consumer.pull_trusted(f"{signed.gun}:v2").succeeded()
    signed.agrees()
    signed.sign("v3")
    assert {"v1", "v2", "v3"} == tags(signed)


def test_a_rotated_signer_key_is_followed(signed: Home, consumer: DockerCli) -> None:
    (old,) = signed.key_ids("alice")

    signed.run("key", "rotate", signed.gun, "alice").succeeded()

    keys = {
        item["Name"]: [key["ID"] for key in item["Keys"]] for item in signed.docker.described(signed.gun)["Signers"]
    }
    assert old not in keys["alice"]
    assert keys["alice"] == [key_id for key_id in signed.key_ids("alice") if key_id != old]
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.agrees()
    signed.sign("v2")


def test_a_certified_key_signs(signed: Home) -> None:
    """What docker calls a signer by certificate; here the certificate signs itself."""
    from datetime import UTC, datetime

    from signing.trust.keystore import pem
    from signing.trust.keystore.certificates import root_certificate

    signed.key("carol")
    (carol,) = signed.key_ids("carol")
    key = pem.decrypt((signed.docker.private_dir / f"{carol}.key").read_text(), signed.docker.repository_passphrase)
    sent = signed.docker.home / "sent.pem"
    sent.write_bytes(root_certificate(key, "carol", datetime.now(UTC)).public)

    kept = signed.json("key", "certificate", "carol", str(sent), "--dir", str(signed.docker.home))
    signed.run("signer", "add", "--key", kept["file"], "carol", signed.gun).succeeded()
    signed.sign("v2")

    signed.agrees()
    assert "carol" in next(row for row in released(signed) if row["SignedTag"] == "v2")["Signers"]


# tags


def test_a_revoked_tag_is_pulled_no_more(signed: Home, consumer: DockerCli) -> None:
    signed.sign("v2")

    signed.run("revoke", f"{signed.gun}:v1").succeeded()

    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").failed()
    consumer.pull_trusted(f"{signed.gun}:v2").succeeded()
    signed.agrees()


def test_docker_revokes_and_we_follow(signed: Home) -> None:
    signed.run("verify", f"{signed.gun}:v1").succeeded()

    signed.docker.run("trust", "revoke", f"{signed.gun}:v1").succeeded()

    signed.run("verify", f"{signed.gun}:v1").failed()
    assert signed.run("revoke", signed.gun, "--yes").code == 3
    signed.agrees()


def test_a_whole_repository_is_revoked(signed: Home, consumer: DockerCli) -> None:
    signed.sign("v2")

    signed.run("revoke", "--yes", signed.gun).succeeded()

    assert tags(signed) == set()
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").failed()
    signed.agrees()
    signed.sign("v3")


def test_a_tag_of_the_repository_key_is_revoked_although_there_are_signers(home: Home) -> None:
    """docker says so too and leaves it signed."""
    home.docker.make_image(f"{home.gun}:v0", "zero")
    home.docker.push(f"{home.gun}:v0", content_trust=True)
    home.add_signer("alice")

    home.run("revoke", f"{home.gun}:v0").succeeded()

    assert tags(home) == set()
    home.pull("v0").failed()


def test_a_local_image_is_pushed_and_signed(signed: Home, consumer: DockerCli) -> None:
    signed.docker.make_image(f"{signed.gun}:local", "only in the Engine")

    (row,) = signed.json("sign", "--local", f"{signed.gun}:local")

    consumer.pull_trusted(f"{signed.gun}:local").succeeded()
    (tag,) = row["tags"]
    digest, size = digest_of_push(signed, "local")
    assert (tag["digest"], str(tag["size"]), tag["signers"]) == (digest, size, ["alice", "bob"])
    signed.agrees()


def test_a_local_image_is_not_pushed_where_nobody_could_sign(home: Home, consumer: DockerCli) -> None:
    """docker pushes first, and then the tag is there unsigned."""
    consumer.make_image(f"{home.gun}:rogue", "rogue")
    stranger = home.trustctl.__class__(consumer.home / "trustctl", home.trustctl.url, home.trustctl.ca_file)

    outcome = stranger.run("sign", "--local", f"{home.gun}:rogue", DOCKER_HOST=consumer.engine).failed()

    assert "may sign" in outcome.stderr
    consumer.forget_image(f"{home.gun}:rogue")
    consumer.run("pull", f"{home.gun}:rogue").failed()


def test_an_image_the_engine_does_not_have(signed: Home) -> None:
    outcome = signed.run("sign", "--local", f"{signed.gun}:absent").failed()
    assert "has no image" in outcome.stderr
    outcome = signed.trustctl.run("sign", "--local", f"{signed.gun}:absent", DOCKER_HOST="unix:///nowhere").failed()
    assert "Engine cannot be used" in outcome.stderr


def test_nothing_to_change_is_said(signed: Home) -> None:
    (row,) = [row for row in released(signed) if row["SignedTag"] == "v1"]
    outcome = signed.run("sign", f"{signed.gun}:v1", "--json")
    assert outcome.code == 3
    (said,) = json.loads(outcome.stdout)
    assert (said["changed"], said["tags"][0]["digest"]) == (False, f"sha256:{row['Digest']}")


# first and last


def test_a_repository_without_signers(home: Home) -> None:
    home.run("init", home.gun).succeeded()
    assert home.notary.list(home.gun) == {}
    home.docker.make_image(f"{home.gun}:v1", "by the repository key")
    home.docker.push(f"{home.gun}:v1", content_trust=True)
    assert released(home) == [{**released(home)[0], "Signers": ["Repo Admin"]}]


def test_a_deleted_repository_is_gone_for_everybody(signed: Home, notary_cli: NotaryCli) -> None:
    signed.run("delete", "--remote", "--yes", signed.gun).succeeded()

    assert "does not have trust data" in notary_cli.run("list", signed.gun).failed().text
    assert signed.run("delete", signed.gun).code == 3
    signed.run("init", signed.gun).succeeded()


def test_notary_deletes_and_we_say_so(signed: Home) -> None:
    signed.notary.run("delete", signed.gun, "--remote").succeeded()
    assert signed.run("verify", f"{signed.gun}:v1").failed().stderr.startswith("The trust server has no trust data")


def released(home: Home) -> list[dict[str, object]]:
    return list(home.docker.described(home.gun)["SignedTags"])


def tags(home: Home) -> set[object]:
    return {row["SignedTag"] for row in released(home)}


def pushed(home: Home, tag: str) -> tuple[str, str]:
    home.docker.make_image(f"{home.gun}:{tag}", "pushed")
    return digest_of_push(home, tag)


def digest_of_push(home: Home, tag: str) -> tuple[str, str]:
    printed = home.docker.run("push", f"{home.gun}:{tag}").succeeded().stdout.rstrip()
    digest, _, size = printed.rpartition("digest: ")[2].partition(" size: ")
    return digest, size


def test_four_people_sign_at_once_and_all_succeed(signed: Home) -> None:
    """With docker one succeeds: each publish makes the next snapshot, so any two collide."""
    given = ["--digest", f"sha256:{'ab' * 32}", "--size", "523"]
    with ThreadPoolExecutor(4) as people:
        outcomes = list(people.map(lambda n: signed.run("sign", f"{signed.gun}:n{n}", *given), range(4)))

    assert [outcome.code for outcome in outcomes] == [0] * 4, "\n".join(map(str, outcomes))
    assert {"n0", "n1", "n2", "n3"} <= tags(signed)
