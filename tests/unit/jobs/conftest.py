from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

from signing import jobs, wiring
from signing.models import Operation
from signing.services.requests import approve_request, request_signer
from signing.services.work import keep_secret
from tests import factories
from tests.factories import PASSPHRASE
from tests.unit.jobs.fakes import BreakableNotary, FakeEngine, FakeRegistry


@dataclass
class World:
    """The cast, and the parts around it in memory."""

    cast: factories.Cast
    notary: BreakableNotary = field(default_factory=BreakableNotary)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    engine: FakeEngine = None  # type: ignore[assignment]  # set below, from the registry

    def __post_init__(self) -> None:
        self.engine = FakeEngine(self.registry)

    @property
    def path(self) -> str:
        return self.cast.repository.gun.partition("/")[2]

    def run(self, operation: Operation, until: str = "") -> Operation:
        """Do the queued steps one by one, up to and without `until`, or as far as they go."""
        while True:
            operation = Operation.objects.get(pk=operation.pk)
            if operation.state != Operation.State.QUEUED or operation.step == until or operation.run_after:
                return operation
            before = (operation.step, operation.attempts)
            getattr(jobs, operation.step)(operation.pk)
            operation = Operation.objects.get(pk=operation.pk)
            if operation.state == Operation.State.QUEUED and (operation.step, operation.attempts) == before:
                return operation

    def approve(self, signer=None, repository=None) -> Operation:
        """Ask for a signer, approve it, and do the delegation."""
        request = request_signer(
            actor=self.cast.developer,
            signer=signer or self.cast.alice,
            repositories=[repository or self.cast.repository],
        )
        passphrases = {"root": PASSPHRASE, "repository": "its own words"}
        request = approve_request(actor=self.cast.lead, request=request, passphrases=passphrases)
        operation = self.run(request.items.get().operation)
        for row in (self.cast.repository, repository):
            if row:
                row.refresh_from_db()
        return operation


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository nobody has initialised; wiring gives the parts in memory."""
    cast = factories.make_cast()
    cast.repository.signers, cast.repository.administrative_keys = [], {}
    cast.repository.verified_at = cast.repository.checked_at = None
    cast.repository.verdict = "unchecked"
    cast.repository.save()
    factories.make_key(cast.account, "root")
    world = World(cast)
    monkeypatch.setattr(wiring, "transport_for", lambda server: nullcontext(world.notary))
    monkeypatch.setattr(wiring, "engine", lambda: world.engine)
    monkeypatch.setattr(wiring, "registry_for", lambda account: world.registry)
    return world


@pytest.fixture
def approved(world: World) -> World:
    """The same, with alice approved by the real service and job."""
    assert world.approve().state == Operation.State.DONE
    return world


@pytest.fixture
def secret() -> Callable[..., None]:
    def keep(operation: Operation, **secrets: str) -> None:
        for purpose, text in secrets.items():
            keep_secret(operation, purpose, text)

    return keep
