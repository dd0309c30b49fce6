"""Repositories brought into the built-in trust server by the signing worker."""

from __future__ import annotations

import pytest

from signing import wiring
from signing.models import Operation, TrustServer
from signing.server.models import Collection, MetadataFile, OnlineKey
from signing.services.trust_server_transfers import import_repositories
from signing.trust.tuf.metadata import Envelope, Root
from tests.factories import PASSPHRASE, make_key
from tests.unit.jobs.conftest import World


@pytest.fixture
def published(world: World) -> World:
    """A repository on the other server, initialised with the account's root key."""
    assert world.approve().state == Operation.State.DONE
    return world


def bring(world: World, *more_guns: str, **given: object) -> Operation:
    source = TrustServer.objects.get(pk=world.cast.account.trust_server_id)
    guns = [world.cast.repository.gun, *more_guns]
    return world.run(import_repositories(actor=world.cast.admin, source=source, guns=guns, **given))  # type: ignore[arg-type]


def log_of(operation: Operation) -> str:
    return "\n".join(line.text for line in operation.lines.all())


def newest_root() -> Root:
    return Root.from_signed(Envelope.parse(file("root")).signed)


def file(role: str) -> bytes:
    from signing.server.reading import current

    found = current(Collection.objects.get().gun, role)
    assert found is not None
    return found.data


def test_a_mirror_has_every_version(published: World) -> None:
    operation = bring(published)
    assert operation.state == Operation.State.DONE, operation.error
    assert "a mirror" in log_of(operation)
    gun = published.cast.repository.gun
    for role in ("root", "targets", "snapshot", "timestamp"):
        assert file(role) == published.notary.get(gun, f"{role}.json")
    assert {name.partition(" ")[0] for name in operation.layers} == {"1:"}
    assert not OnlineKey.objects.exists()

    count = MetadataFile.objects.count()
    assert "0 new versions" in log_of(bring(published))
    assert MetadataFile.objects.count() == count


def test_a_root_key_names_this_servers_keys(published: World) -> None:
    root_key = published.cast.account.keys.get(purpose="root")
    operation = bring(published, way="root", root_key=root_key, root_passphrase=PASSPHRASE)
    assert operation.state == Operation.State.DONE, operation.error
    held = set(OnlineKey.objects.values_list("key_id", flat=True))
    roles = newest_root().roles
    assert {*roles["timestamp"].keyids, *roles["snapshot"].keyids} == held
    assert not operation.secrets.exists()


def test_another_root_key_leaves_a_mirror_and_says_so(published: World) -> None:
    other = make_key(published.cast.foreign, "root")
    operation = bring(published, way="root", root_key=other, root_passphrase=PASSPHRASE)
    assert operation.state == Operation.State.FAILED
    assert "This is not the root key" in log_of(operation)
    assert newest_root().version == 1


def test_one_that_is_not_there_holds_up_no_other(published: World) -> None:
    operation = bring(published, "registry.test:5000/team/absent")
    assert operation.state == Operation.State.FAILED
    assert operation.error.startswith("1 of 2 repositories were not copied: registry.test:5000/team/absent")
    assert operation.result["failed"] == ["registry.test:5000/team/absent"]
    assert Collection.objects.get().gun == published.cast.repository.gun


def test_a_worker_without_the_servers_secret_says_so(published: World, settings: object) -> None:
    settings.TRUST_SERVER_MASTER_KEY = None  # type: ignore[attr-defined]
    operation = bring(published)
    assert (operation.state, operation.error_code) == (Operation.State.FAILED, "key_store_error")
    assert not Collection.objects.exists()


def test_passphrases_that_are_gone_are_missed(published: World) -> None:
    root_key = published.cast.account.keys.get(purpose="root")
    source = published.cast.account.trust_server
    operation = import_repositories(
        actor=published.cast.admin,
        source=source,
        guns=[published.cast.repository.gun],
        way="root",
        root_key=root_key,
        root_passphrase=PASSPHRASE,
    )
    operation.secrets.all().delete()
    assert published.run(operation).error_code == "secret_gone"
    assert not Collection.objects.exists()


def test_a_server_that_was_removed_meanwhile(published: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = TrustServer.objects.create(name="other", url="https://other.test")
    operation = import_repositories(actor=published.cast.admin, source=other, guns=[published.cast.repository.gun])
    other.delete()
    monkeypatch.setattr(wiring, "transport_for", lambda server: pytest.fail("nothing is to be asked"))
    assert "was removed meanwhile" in published.run(operation).error
