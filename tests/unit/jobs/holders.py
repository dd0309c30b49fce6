"""The holders of all keys of a repository, at home; the server knows the public halves."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from signing.models import ChangeRequest, Key, Operation, SignatureTask, User
from signing.services.operations import sign_digest
from signing.services.requests import approve_request, request_signer
from signing.services.signatures import give_signature
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.gun import Gun
from tests.factories import DIGEST
from tests.unit.jobs.conftest import World

State = SignatureTask.State


class Holders:
    """Everybody's keys at home; the server knows their public halves."""

    def __init__(self, world: World) -> None:
        self.world, self.cast = world, world.cast
        self.keys: dict[str, PrivateKey] = {}
        Key.objects.filter(signers=None).delete()
        self.root = self.enrol("root", self.cast.lead)
        self.repository = self.enrol("repository", self.cast.other_lead)
        self.alice = self.enrol("signer", self.cast.signer, "alice")
        self.cast.alice.key = self.alice
        self.cast.alice.save()

    def enrol(self, purpose: str, owner: User, name: str = "") -> Key:
        private = PrivateKey.generate()
        self.keys[private.key_id] = private
        return Key.objects.create(
            key_id=private.key_id,
            purpose=purpose,
            custody=Key.Custody.CLIENT,
            name=name or {"root": "root", "repository": "targets"}[purpose],
            keytype="ecdsa",
            public_pem=private.public.to_pem(),
            account=self.cast.account,
            gun=self.cast.repository.gun if purpose == "repository" else "",
            owner=owner,
        )

    def waiting(self, operation: Operation) -> list[SignatureTask]:
        tasks = SignatureTask.objects.filter(file__operation=operation, state=State.WAITING)
        return list(tasks.select_related("key__owner", "file"))

    def sign(self, task: SignatureTask, **wrong: Any) -> SignatureTask:
        payload = wrong.get("payload", bytes(task.file.payload))
        _, signature = wrong.get("private", self.keys[task.key.key_id]).sign(payload)
        return give_signature(actor=wrong.get("actor", task.key.owner), task=task, signature=signature)

    def finish(self, operation: Operation) -> Operation:
        for task in self.waiting(operation):
            self.sign(task)
        return self.world.run(operation)

    def ask_and_approve(self, request: ChangeRequest) -> Operation:
        request = approve_request(actor=self.cast.other_lead, request=request)
        operation = self.world.run(request.items.get().operation)
        self.cast.repository.refresh_from_db()
        return operation

    def carry_out(self, request: ChangeRequest) -> Operation:
        operation = self.finish(self.ask_and_approve(request))
        self.cast.repository.refresh_from_db()
        return operation

    def add_alice(self) -> ChangeRequest:
        request = request_signer(actor=self.cast.developer, signer=self.cast.alice, repositories=[self.cast.repository])
        request.proved_at = timezone.now()
        request.save()
        return request

    def start_signing(self, tag: str = "1.0") -> Operation:
        return self.world.run(
            sign_digest(
                actor=self.cast.signer,
                repository=self.cast.repository,
                tag=tag,
                digest=DIGEST,
                length=528,
                signer=self.cast.alice,
            )
        )

    def state(self) -> TrustedRepository:
        gun = Gun(self.cast.repository.gun)
        return refresh(gun, self.world.notary, MemoryCache(), must_reach_server=True)

    def tags(self) -> list[str]:
        return [row.tag for row in self.state().released()]
