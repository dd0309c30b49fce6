"""`trustctl archive`: what people and scripts see of it."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from signing.trust.errors import ServerUnreachable
from tests.simulator import Owner, Simulator
from tests.unit.local_signer.conftest import DIGEST, GUN, OTHER_DIGEST, TrustCtl, real_time

OTHER_GUN = "registry.example.com/team/other"


@pytest.fixture
def simulator(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The trust server, with what an archive asks of one besides metadata."""
    monkeypatch.setattr(Simulator, "changes", lambda *_: None, raising=False)
    monkeypatch.setattr(Simulator, "url", "https://notary.example.com", raising=False)
    return simulator


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "trust.archive"


@pytest.fixture
def signed(trustctl: TrustCtl) -> TrustCtl:
    trustctl.add_signer("alice")
    assert trustctl.sign(f"{GUN}:v1").code == 0
    return trustctl


def take(trustctl: TrustCtl, archive: Path, *arguments: str) -> None:
    outcome = trustctl.run("archive", "take", str(archive), "--rate", "10000", *arguments)
    assert outcome.code == 0, outcome


def root_key(trustctl: TrustCtl) -> str:
    (key,) = [key for key in trustctl.run("key", "list", "--json").json if key["role"] == "root"]
    return str(key["key_id"])


def test_take_says_what_it_has_and_that_it_verified(signed: TrustCtl, archive: Path) -> None:
    outcome = signed.run("archive", "take", str(archive), GUN)

    assert outcome.code == 0
    assert f"{GUN}: 8 files, 2 states, all of it verified" in outcome.stdout
    assert outcome.stderr == ""


@pytest.mark.parametrize("order", ["behind", "before", "between"])
def test_repositories_alone_are_archived_too(signed: TrustCtl, archive: Path, order: str) -> None:
    output = ["-o", str(archive)]
    words = {"behind": [GUN, *output], "before": [*output, GUN], "between": ["--rate", "10000", GUN, *output]}[order]

    assert signed.run("archive", *words).code == 0

    assert signed.run("archive", "verify", str(archive), f"{GUN}:v1").code == 0


def test_without_a_name_it_is_trust_archive_here(signed: TrustCtl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(signed.home)

    outcome = signed.run("archive", "--server", "https://notary.example.com", GUN)

    assert (outcome.code, outcome.stderr) == (0, "")
    assert (signed.home / "trust.archive").exists()


def test_verify_proves_a_claim_from_the_pinned_root(signed: TrustCtl, archive: Path) -> None:
    take(signed, archive, GUN)

    claim = ["--digest", DIGEST, "--signer", "alice", "--root-key-id", root_key(signed)]
    outcome = signed.run("archive", "verify", str(archive), f"{GUN}:v1", *claim)

    assert outcome.code == 0
    assert f"{GUN}: PROVEN" in outcome.stdout
    assert "What the times mean" in outcome.stdout
    assert "pin it" not in outcome.stdout


def test_verify_without_a_pin_says_what_that_is_worth(signed: TrustCtl, archive: Path) -> None:
    take(signed, archive, GUN)

    outcome = signed.run("archive", "verify", str(archive))

    assert outcome.code == 0
    assert "Compare it with its owner, then pin it: --root-key-id" in outcome.stdout
    assert root_key(signed) in outcome.stdout


@pytest.mark.parametrize(
    "claim",
    [
        [f"{GUN}:v2"],
        [f"{GUN}:v1", "--digest", OTHER_DIGEST],
        [f"{GUN}:v1", "--signer", "bob"],
        [GUN, "--root-key-id", "ab" * 32],
        [GUN, "--root-fingerprint", "ab" * 32],
    ],
)
def test_what_is_not_proven_ends_with_one(signed: TrustCtl, archive: Path, claim: list[str]) -> None:
    take(signed, archive, GUN)

    assert signed.run("archive", "verify", str(archive), *claim).code == 1


def test_verify_for_programs(signed: TrustCtl, archive: Path) -> None:
    take(signed, archive, GUN)

    told = signed.run("archive", "verify", "--json", "--events", str(archive)).json

    assert told["intact"]
    (repository,) = told["repositories"]
    assert repository["proven"]
    (tag,) = repository["tags"]
    assert (tag["tag"], tag["digest"], tag["signer"], tag["to"], tag["ended"]) == ("v1", DIGEST, "alice", None, None)
    assert tag["file"]["role"] == "targets/alice"
    assert [event["kind"] for event in repository["events"]] == ["initialised", "signer added", "signed"]


def test_one_changed_byte_is_found_and_named(signed: TrustCtl, archive: Path) -> None:
    take(signed, archive, GUN)
    whole = archive.read_bytes()
    at = whole.index(b'"targets":{"v1"')
    archive.write_bytes(whole[:at] + b"#" + whole[at + 1 :])

    outcome = signed.run("archive", "verify", str(archive))

    assert outcome.code == 1
    assert "NOT PROVEN" in outcome.stdout
    assert "WRONG  targets/alice 1" in outcome.stdout
    assert "not, byte for byte" in outcome.stderr


def test_verify_asks_nobody(signed: TrustCtl, archive: Path, simulator: Simulator) -> None:
    take(signed, archive, GUN)
    simulator.asked.clear()

    assert signed.run("archive", "verify", str(archive)).code == 0

    assert not simulator.asked


def test_take_without_names_updates_what_is_there(signed: TrustCtl, archive: Path) -> None:
    take(signed, archive, GUN)
    signed.sign(f"{GUN}:v2")

    take(signed, archive)

    assert signed.run("archive", "verify", str(archive), f"{GUN}:v2").code == 0


def test_one_repository_that_fails_does_not_stop_the_others(signed: TrustCtl, archive: Path) -> None:
    outcome = signed.run("archive", "take", str(archive), OTHER_GUN, GUN)

    assert outcome.code == 1
    assert OTHER_GUN in outcome.stderr
    assert signed.run("archive", "verify", str(archive), GUN).code == 0


def test_a_server_that_is_gone_leaves_the_archive_as_it_was(
    signed: TrustCtl, archive: Path, simulator: Simulator
) -> None:
    take(signed, archive, GUN)
    before = archive.read_bytes()
    simulator.fault = ServerUnreachable("gone")

    outcome = signed.run("archive", "take", str(archive))

    assert outcome.code == 1
    assert archive.read_bytes() == before


def test_the_trust_folder_is_archived_offline(signed: TrustCtl, archive: Path, simulator: Simulator) -> None:
    simulator.fault = ServerUnreachable("gone")

    take(signed, archive, "--offline", "--from-trust-dir", str(signed.trust_dir))

    assert signed.run("archive", "verify", str(archive), f"{GUN}:v1", "--digest", DIGEST).code == 0
    assert b"PRIVATE" not in archive.read_bytes()


def test_what_a_folder_remembers_is_kept_though_its_server_is_gone(
    signed: TrustCtl, archive: Path, simulator: Simulator
) -> None:
    simulator.fault = ServerUnreachable("gone")

    outcome = signed.run("archive", "take", str(archive), "--from-trust-dir", str(signed.trust_dir))

    assert outcome.code == 1
    assert signed.run("archive", "verify", str(archive), f"{GUN}:v1").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["take", "absent/folder/x.archive", GUN], "no folder"),
        (["take", "x.archive"], "nothing to archive"),
        (["take", "x.archive", "--offline", GUN], "has to be read"),
        (["verify", "absent.archive"], "no archive"),
        (["restore", "absent.archive"], "no archive"),
        (["serve", "absent.archive"], "no archive"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_next_step(
    trustctl: TrustCtl, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trustctl.home)

    assert said in trustctl.run("archive", *arguments).refused()


def test_a_rate_is_a_number(trustctl: TrustCtl) -> None:
    for rate in ("0", "-1", "fast", "nan"):
        assert trustctl.run("archive", "take", "x.archive", GUN, f"--rate={rate}").code == 2


@pytest.mark.loopback
def test_serving_tells_programs_its_address_and_what_it_serves(
    signed: TrustCtl, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(signed, archive, GUN)

    def interrupted(_: ThreadingHTTPServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)

    outcome = signed.run("archive", "serve", str(archive), "--port", "0", "--json")

    assert (outcome.code, outcome.stderr) == (0, "Ended.\n")
    assert outcome.json["url"].startswith("https://127.0.0.1:")
    assert Path(outcome.json["certificate"]).read_text().startswith("-----BEGIN CERTIFICATE")
    assert [row["repository"] for row in outcome.json["repositories"]] == [GUN]


def test_restore_brings_tags_and_signers_to_a_server_without_them(
    signed: TrustCtl, archive: Path, simulator: Simulator
) -> None:
    take(signed, archive, GUN)
    before = signed.run("inspect", GUN).stdout
    simulator.delete(GUN)

    outcome = signed.run("archive", "restore", str(archive))

    assert outcome.code == 0, outcome
    assert f"{GUN}: 1 tags restored, root version 2." in outcome.stdout
    assert signed.run("inspect", GUN).stdout == before


def test_restore_refuses_a_server_that_has_it(signed: TrustCtl, archive: Path) -> None:
    take(signed, archive, GUN)

    assert "already" in signed.run("archive", "restore", str(archive)).refused()


def test_restore_needs_the_root_key(signed: TrustCtl, archive: Path, simulator: Simulator) -> None:
    other = Owner(simulator, real_time, OTHER_GUN).initialise()
    take(signed, archive, other.gun)
    simulator.delete(other.gun)

    assert "root" in signed.run("archive", "restore", str(archive)).refused()
