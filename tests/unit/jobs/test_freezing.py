"""What a worker takes out of the queue after a freeze, or works on during one, is not signed."""

from __future__ import annotations

import pytest

from signing.models import Freeze, Operation
from signing.services.freezing import freeze
from signing.services.operations import sign_digest
from signing.trust.notary.publishing import Publisher
from tests.factories import DIGEST, PASSPHRASE
from tests.unit.jobs.conftest import World

WHY = "The laptop was stolen."


def sign(world: World, tag: str = "1.0") -> Operation:
    return sign_digest(
        actor=world.cast.signer,
        repository=world.cast.repository,
        tag=tag,
        digest=DIGEST,
        length=528,
        signer=world.cast.alice,
        passphrase=PASSPHRASE,
    )


STOPS = {
    "the key": lambda cast: {"key": cast.alice.key},
    "its account": lambda cast: {"account": cast.account},
    "its owner": lambda cast: {"person": cast.signer},
}


@pytest.mark.parametrize("thing", STOPS.values(), ids=STOPS)
def test_a_step_that_was_handed_out_already_signs_nothing(approved, thing):
    operation = sign(approved)
    Freeze.objects.create(reason=WHY, by=approved.cast.admin, **thing(approved.cast))  # the queue was not emptied yet
    before = dict(approved.notary.files)
    operation = approved.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "frozen")
    assert approved.notary.files == before


@pytest.mark.parametrize("thing", STOPS.values(), ids=STOPS)
def test_what_runs_stops_before_its_next_signature(approved, monkeypatch, thing):
    real = Publisher._refreshed

    def frozen_meanwhile(self, *arguments):
        found = real(self, *arguments)
        if not Freeze.objects.exists():
            freeze(actor=approved.cast.admin, reason=WHY, **thing(approved.cast))
        return found

    operation = sign(approved)
    monkeypatch.setattr(Publisher, "_refreshed", frozen_meanwhile)
    before = dict(approved.notary.files)
    operation = approved.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "frozen")
    assert approved.notary.files == before


def test_a_publish_whose_signature_is_stored_ends_as_it_began(approved):
    operation = sign(approved)
    Operation.objects.filter(pk=operation.pk).update(result={"signature_stored": True})
    freeze(actor=approved.cast.lead, reason=WHY, key=approved.cast.alice.key)
    operation.refresh_from_db()
    assert operation.state == "queued"
