"""Publish through the dashboard's own services and jobs on real parts, and break the trust server on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from signing import jobs, queue, wiring
from signing.adapters.registry import Registry as RegistryClient
from signing.models import Account, Membership, Operation, Repository, Signer, TrustServer, User
from signing.services.accounts import create_account
from signing.services.keys import generate_key
from signing.services.members import set_member
from signing.services.operations import publish_image, pull_image, retry_operation
from signing.services.repositories import check_now, create_repository
from signing.services.requests import approve_request, request_signer
from signing.services.signers import create_signer
from signing.trust.notary.transport import HttpsTransport
from tests.parts.builtin_server import BuiltinServer
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.notary_server import NotaryServer

pytestmark = pytest.mark.django_db

ROOT, REPOSITORY, ALICE = "root key passphrase", "repository key passphrase", "alice's passphrase"


@pytest.fixture(params=[NotaryServer, BuiltinServer], ids=["notary-server", "built-in"])
def mortal_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotaryServer | BuiltinServer]:
    """A trust server of this test alone, for the test kills it."""
    server = request.param(tmp_path)
    try:
        yield server.start()
    finally:
        server.stop()


@dataclass
class Team:
    """An account on the real registry, with a signer who was approved by somebody else."""

    server: NotaryServer | BuiltinServer
    docker: DockerCli
    lead: User
    alice: User
    account: Account
    repository: Repository
    signer: Signer
    settings: Any

    def run(self, operation: Operation, until: str = "") -> Operation:
        """Do the queued steps, each with the keys of the worker it belongs to."""
        while True:
            operation.refresh_from_db()
            if operation.state != Operation.State.QUEUED or operation.step == until or operation.run_after:
                return operation
            worker = queue.QUEUES[operation.step]
            self.settings.SEALING_PRIVATE_KEY = self.settings.TEST_SEALING_PRIVATE_KEYS[worker]
            getattr(jobs, operation.step)(operation.pk)

    def publish(self, source: str, tag: str = "1.0") -> Operation:
        return publish_image(
            actor=self.alice,
            repository=self.repository,
            source=source,
            tag=tag,
            signer=self.signer,
            passphrase=ALICE,
            from_local=True,
        )

    def digest_in_registry(self, tag: str = "1.0") -> str | None:
        with RegistryClient(self.account.registry) as client:
            return client.tag_digest(self.repository.gun.partition("/")[2], tag)


@pytest.fixture
def team(
    mortal_server: NotaryServer | BuiltinServer,
    engine: Engine,
    registry: Registry,
    new_gun: Callable[[], str],
    tmp_path: Path,
    settings: Any,
) -> Team:
    settings.DOCKER_HOST = engine.url
    admin = User.objects.create_superuser("root")
    lead, alice = User.objects.create_user("lea"), User.objects.create_user("alice")
    trust_server = TrustServer.objects.create(name="parts", url=mortal_server.url, ca_pem=mortal_server.ca_pem)
    namespace = new_gun().split("/")[1]
    account = create_account(
        actor=admin, name="team", registry=registry.host, namespace=namespace, trust_server=trust_server
    )
    set_member(actor=admin, account=account, user=lead, role=Membership.Role.LEAD)
    set_member(actor=lead, account=account, user=alice, role=Membership.Role.SIGNER)
    repository = create_repository(actor=lead, account=account, path="app")
    docker = DockerCli(
        program=require_docker(),
        home=tmp_path / "docker",
        engine=engine.url,
        registry=registry.host,
        trust_url=mortal_server.url,
        ca_pem=mortal_server.ca_pem,
    )
    team = Team(mortal_server, docker, lead, alice, account, repository, None, settings)  # type: ignore[arg-type]
    made = generate_key(actor=lead, account=account, purpose="root", name="root", passphrase=ROOT)
    assert team.run(made).state == "done", made.error
    made = generate_key(actor=alice, account=account, purpose="signer", name="alice", passphrase=ALICE)
    assert team.run(made).state == "done", made.error
    assert made.key
    team.signer = create_signer(actor=alice, account=account, name="alice", key=made.key, user=alice)
    request = request_signer(actor=alice, signer=team.signer, repositories=[repository])
    approve_request(actor=lead, request=request, passphrases={"root": ROOT, "repository": REPOSITORY})
    added = request.items.get().operation
    assert added
    assert team.run(added).state == "done", added.error
    repository.refresh_from_db()
    return team


@pytest.fixture
def first(team: Team) -> Operation:
    """Publish 1.0 the good way."""
    team.docker.make_image("ours/app:first", "the first image")
    operation = team.run(team.publish("ours/app:first"))
    assert (operation.state, operation.error) == ("done", "")
    return operation


def test_docker_accepts_what_was_published(team: Team, first: Operation) -> None:
    gun = team.repository.gun
    assert first.outcome == "published"
    assert team.digest_in_registry() == first.result["digest"]
    assert team.digest_in_registry("trustui-staging") is None
    described = team.docker.described(gun)
    assert [(tag["SignedTag"], tag["Digest"], tag["Signers"]) for tag in described["SignedTags"]] == [
        ("1.0", first.result["digest"].removeprefix("sha256:"), ["alice"])
    ]
    assert described["Signers"][0]["Keys"][0]["ID"] == team.signer.key.key_id
    team.docker.forget_image(f"{gun}:1.0")
    team.docker.pull_trusted(f"{gun}:1.0").succeeded()
    assert "No valid trust data" in team.docker.pull_trusted(f"{gun}:2.0").failed().text


def test_docker_refuses_a_tag_that_was_pushed_without_a_signature(team: Team, first: Operation) -> None:
    reference = f"{team.repository.gun}:unsigned"
    team.docker.make_image(reference, "unsigned")
    team.docker.push(reference)
    team.docker.pull_trusted(reference).failed()
    operation = team.run(pull_image(actor=team.alice, repository=team.repository, tag="unsigned"))
    assert (operation.state, operation.error_code) == ("failed", "no_such_target")
    assert "enforces trust" in operation.error


def test_a_signed_tag_is_pulled_by_its_digest(team: Team, first: Operation) -> None:
    reference = f"{team.repository.gun}:1.0"
    team.docker.forget_image(reference)
    operation = team.run(pull_image(actor=team.alice, repository=team.repository, tag="1.0"))
    assert (operation.state, operation.error) == ("done", "")
    assert operation.result["source"].endswith(first.result["digest"])
    assert reference in wiring.engine().status().images


def assert_nothing_published(team: Team, operation: Operation, first: Operation) -> None:
    assert operation.state == Operation.State.FAILED
    assert operation.outcome == "failed, nothing published"
    assert operation.error_code == "server_unreachable", operation.error
    assert operation.next_step
    assert team.digest_in_registry() == first.result["digest"]
    assert operation.result["digest"] != first.result["digest"]
    team.repository.refresh_from_db()
    assert team.repository.lease is None
    assert [(tag.tag, f"sha256:{tag.digest}") for tag in team.repository.tags.all()] == [
        ("1.0", first.result["digest"])
    ]
    jobs.clean_staging(operation.pk)
    assert team.digest_in_registry("trustui-staging") is None


def test_a_trust_server_killed_between_push_and_signature_leaves_the_tag_alone(team: Team, first: Operation) -> None:
    team.docker.make_image("ours/app:second", "the second image")
    operation = team.run(team.publish("ours/app:second"), until=queue.SIGN)
    assert team.digest_in_registry("trustui-staging") == operation.result["digest"]
    team.server.stop()
    assert_nothing_published(team, team.run(operation), first)


class KilledInBetween(HttpsTransport):
    """Let the update arrive and be stored, then end the server before anybody can read it back."""

    server: NotaryServer | BuiltinServer

    def post(self, gun: str, files: Any) -> None:
        super().post(gun, files)
        self.server.stop()


def test_a_trust_server_killed_before_the_read_back_leaves_the_tag_alone(
    team: Team, first: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.docker.make_image("ours/app:second", "the second image")
    operation = team.run(team.publish("ours/app:second"), until=queue.SIGN)
    KilledInBetween.server = team.server
    with monkeypatch.context() as patched:
        patched.setattr(wiring, "transport_for", lambda server: KilledInBetween(server.url, ca_pem=server.ca_pem))
        operation = team.run(operation)
    assert_nothing_published(team, operation, first)
    assert any("next check shows it" in line.text for line in operation.lines.all())


def test_once_the_server_is_back_a_retry_publishes(team: Team, first: Operation) -> None:
    if isinstance(team.server, NotaryServer):
        pytest.skip("notary-server keeps its data in memory here, so it does not come back")
    team.docker.make_image("ours/app:second", "the second image")
    operation = team.run(team.publish("ours/app:second"), until=queue.SIGN)
    team.server.stop()
    operation = team.run(operation)
    assert operation.state == Operation.State.FAILED
    check = team.run(check_now(actor=team.lead, repository=team.repository))
    team.repository.refresh_from_db()
    assert (check.error_code, team.repository.verdict) == ("server_unreachable", Repository.Verdict.UNREACHABLE)
    assert team.repository.tags.count() == 1
    team.server.start()
    operation = team.run(retry_operation(actor=team.alice, operation=operation, passphrase=ALICE))
    assert (operation.state, operation.error) == ("done", "")
    assert team.digest_in_registry() == operation.result["digest"] != first.result["digest"]
    team.docker.pull_trusted(f"{team.repository.gun}:1.0").succeeded()
