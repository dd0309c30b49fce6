"""An account with everything in it, its like beside it, and what exists nowhere; and who stands before them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from signing.models import (
    Account,
    Alert,
    ChangeRequest,
    Key,
    Membership,
    Operation,
    PreparedFile,
    Repository,
    Rotation,
    SignatureTask,
    Signer,
    User,
)
from signing.server.models import MetadataFile
from signing.services.api_tokens import create_token
from signing.services.audit import record
from signing.services.freezing import freeze
from signing.services.machines import create_machine
from signing.services.rotations import plan_rotation
from signing.services.webhooks import create_webhook, ping_webhook
from signing.trust.keystore.base import PrivateKey
from signing.trust.policy.possession import make_challenge
from tests import factories, trust_data
from tests.unit.matrix.certificates import certificate_of

ROLES = (
    "admin",
    "account_admin",
    "lead",
    "signer",
    "developer",
    "auditor",
    "everything",  # auditor of the installation
    "guest",  # developer of the one repository
    "outsider",  # lead of the other account
    "stranger",  # not signed in
)


@dataclass(frozen=True)
class Ref:
    """A place in an example input that names one of the world's things."""

    thing: str


@dataclass
class World:
    """Two accounts that are alike. What is of one is in `own`, of the other in `foreign`, of neither in `unknown`."""

    people: dict[str, User]
    own: dict[str, Any]
    foreign: dict[str, Any]
    unknown: dict[str, Any]
    machine_token: str
    clients: dict[str, Client]


def make_world() -> World:
    """Write all rows: the people, and two accounts that have one of everything."""
    account = factories.make_account("team", trust_server=factories.make_trust_server(is_builtin=True))
    foreign = factories.make_account("zz-foreign", trust_server=factories.make_trust_server("zz-elsewhere"))
    admin = factories.make_user("root", is_superuser=True)
    people = {
        "admin": admin,
        "account_admin": factories.make_member(account, "abe", "admin"),
        "lead": factories.make_member(account, "lea", "lead"),
        "signer": factories.make_member(account, "alice", "signer"),
        "developer": factories.make_member(account, "dan", "developer"),
        "auditor": factories.make_member(account, "ada", "auditor"),
        "everything": factories.make_user("eva", reads_everything=True),
        "guest": factories.make_user("gus"),
        "outsider": factories.make_member(foreign, "oscar", "lead"),
    }
    requester = factories.make_member(account, "rob", "developer")
    other_lead = factories.make_member(foreign, "olga", "lead")
    otto = factories.make_member(foreign, "otto", "signer")
    own = _fill(account, people["lead"], people["signer"], requester, people["developer"])
    theirs = _fill(foreign, people["outsider"], otto, other_lead, otto)
    Membership.objects.create(
        account=account, repository=Repository.objects.get(gun=own["gun"]), user=people["guest"], role="developer"
    )
    own["person"], own["username"] = people["developer"].pk, "dan"
    theirs["person"], theirs["username"] = other_lead.pk, "otto"
    machine = User.objects.get(pk=own["machine"])
    _, raw = create_token(
        actor=people["lead"],
        user=machine,
        name="ci",
        scopes=["read", "request"],
        repositories=[Repository.objects.get(gun=own["gun"])],
        days=30,
    )
    gone = factories.make_user("gone", is_active=False)
    for values in (own, theirs):
        values["session"] = values["passkey"] = 10**9
        values["deactivated"] = gone.pk
    return World(people, own, theirs, _unknown(), raw, _clients(people))


def _clients(people: dict[str, User]) -> dict[str, Client]:
    """Open a browser for everybody, signed in but for the stranger's."""
    clients = {role: Client(raise_request_exception=False) for role in ROLES}
    for role, user in people.items():
        clients[role].force_login(user)
    return clients


def _fill(account: Account, lead: User, signer_user: User, requester: User, asker: User) -> dict[str, Any]:
    server = account.trust_server
    server.ca_pem = "-----BEGIN CERTIFICATE-----\n"
    server.save()
    repository, second = factories.make_repository(account), factories.make_repository(account, "second")
    signer = factories.make_signer(account, signer_user.username, user=signer_user)
    candidate = factories.make_signer(account, f"robot-{account.name}")
    spare = factories.make_signer(account, f"spare-{account.name}")  # so that the signer may be taken out
    trust_data.publish(repository, signer, spare, tags=("1.0",))
    MetadataFile.objects.create(gun=repository.gun, role="root", version=1, data=b"{}", created_at=timezone.now())
    webhook, _ = create_webhook(actor=lead, account=account, url="https://hook.test/", events=["signed"])
    machine = create_machine(actor=lead, account=account, username=f"ci-{account.name}", repositories=[repository])
    token, _ = create_token(actor=lead, user=machine, name="job", scopes=["request"], repositories=[repository], days=9)
    failed = factories.make_operation(
        "refresh", "refresh", repository, requested_by=requester, state=Operation.State.FAILED
    )
    return {
        "account": account.name,
        "gun": repository.gun,
        "second": second.gun,
        "tag": "1.0",
        "key": signer.key.key_id,
        "candidate_key": candidate.key.key_id,
        "certificate": certificate_of(signer.key.public_pem),
        "part": "public",
        "form": "csv",
        "signer": signer.pk,
        "signer_name": signer.name,
        "candidate": candidate.pk,
        "candidate_name": candidate.name,
        "operation": factories.make_operation("refresh", "refresh", repository, requested_by=requester).pk,
        "failed_operation": failed.pk,
        "freeze": freeze(actor=lead, key=factories.make_key(account, name="frosty"), reason="lost").pk,
        "alert": _alert(repository),
        "act": "freeze",
        "kind": "account",
        "which": account.name,
        "rotation": _plan(lead, signer).pk,
        "signature_task": _asked_at_home(repository, signer).pk,
        "planless_key": Key.objects.get(account=account, purpose="repository").key_id,
        "webhook": webhook.pk,
        "delivery": ping_webhook(actor=lead, webhook=webhook).pk,
        "machine": machine.pk,
        "machine_name": machine.username,
        "token": token.pk,
        "trust_server": server.name,
        "trust_server_pk": server.pk,
        "remote_key": _remote_key(repository).key_id,
        "number": record(lead, "approve_request", account=account, subject="alice").number,
        **_requests(repository, candidate, requester, asker),
    }


def _asked_at_home(repository: Repository, signer: Signer) -> SignatureTask:
    """Let work wait for a signature by the signer."""
    operation = factories.make_operation(
        "sign", "sign", repository, requested_by=signer.user, signer=signer, state=Operation.State.NEEDS_SIGNATURE
    )
    file = PreparedFile.objects.create(
        operation=operation, role=f"targets/{signer.name}", version=2, payload=b"{}", payload_hash="ab" * 32
    )
    return SignatureTask.objects.create(
        file=file, key=signer.key, tuf_key_id=signer.key.key_id, expires_at=timezone.now() + timedelta(days=1)
    )


def _remote_key(repository: Repository) -> Key:
    """Enrol a key of a key service."""
    public = PrivateKey.generate().public
    return Key.objects.create(
        account=repository.account,
        purpose=Key.Purpose.SIGNER,
        custody=Key.Custody.REMOTE,
        name="robot",
        key_id=public.canonical_id,
        keytype=public.keytype,
        public_pem=public.to_pem(),
        location="vault:transit/robot",
        allowed_guns=["registry.test:5000/team/other"],
    )


def _alert(repository: Repository) -> int:
    """Wonder about signers that nobody asked for."""
    repository.refresh_from_db()
    found = repository.accepted or {"root": [], "repository": [], "signers": {}}
    return Alert.objects.create(
        kind=Alert.Kind.SIGNERS, repository=repository, reason="A signer changed.", evidence={"found": found}
    ).pk


def _plan(lead: User, signer: Signer) -> Rotation:
    """Plan to replace the signer's key by one that is there."""
    successor = factories.make_key(signer.account, name=signer.name, owner=signer.user)
    return plan_rotation(actor=lead, key=signer.key, reason="planned", replacement=successor)


def _requests(repository: Repository, candidate: Signer, requester: User, asker: User) -> dict[str, Any]:
    """Ask for the candidate in every state that some address is for: `asker`'s own, and one of somebody else."""
    waiting = factories.make_request(candidate, [repository], requester)
    own = factories.make_request(candidate, [repository], asker)
    expired = factories.make_request(candidate, [repository], asker, expires_at=timezone.now() - timedelta(days=1))
    stuck = factories.make_request(candidate, [repository], requester, state=ChangeRequest.State.APPROVED)
    work = factories.make_operation(
        "add_signer",
        "add_signer",
        repository,
        state=Operation.State.FAILED,
        signer=candidate,
        key=candidate.key,
        parameters={"request": stuck.pk},
    )
    stuck.items.update(operation=work)
    proving, signature = _proving(repository, requester)
    return {
        "request": waiting.pk,
        "content_hash": waiting.content_hash,
        "own_request": own.pk,
        "expired_request": expired.pk,
        "stuck_request": stuck.pk,
        "proving_request": proving.pk,
        "signature": signature,
    }


def _proving(repository: Repository, requester: User) -> tuple[ChangeRequest, str]:
    """Ask for a signer who keeps the key at home, and sign the challenge as they would."""
    private = PrivateKey.generate()
    key = Key.objects.create(
        account=repository.account,
        purpose=Key.Purpose.SIGNER,
        custody=Key.Custody.CLIENT,
        name="homer",
        key_id=private.key_id,
        keytype=private.public.keytype,
        public_pem=private.public.to_pem(),
        owner=requester,
    )
    signer = factories.make_signer(repository.account, f"homer-{repository.account.name}", key=key)
    request = factories.make_request(signer, [repository], requester)
    request.challenge = make_challenge(request.pk, key.key_id, repository.account.name, "ab" * 16)
    request.save()
    return request, base64.b64encode(private.sign(request.challenge.encode())[1]).decode()


def _unknown() -> dict[str, Any]:
    gun = "registry.test:5000/zz-nowhere/app"
    return {
        "account": "zz-nowhere",
        "gun": gun,
        "second": gun,
        "tag": "1.0",
        "key": "0" * 64,
        "remote_key": "0" * 64,
        "candidate_key": "0" * 64,
        "part": "public",
        "form": "csv",
        "act": "freeze",
        "kind": "account",
        "which": "zz-nowhere",
        "planless_key": "0" * 64,
        "signer_name": "zz-nobody",
        "candidate_name": "zz-nobody",
        "machine_name": "zz-nobody",
        "username": "zz-nobody",
        "trust_server": "zz-nowhere",
        "certificate": "",
        "content_hash": "0" * 64,
        "signature": "AAAAAAAA",
        **dict.fromkeys(
            (
                "signer",
                "candidate",
                "request",
                "own_request",
                "expired_request",
                "stuck_request",
                "proving_request",
                "operation",
                "failed_operation",
                "freeze",
                "alert",
                "rotation",
                "webhook",
                "delivery",
                "machine",
                "token",
                "trust_server_pk",
                "person",
                "deactivated",
                "session",
                "signature_task",
                "passkey",
                "number",
            ),
            10**9,
        ),
    }


def resolved(value: Any, things: dict[str, Any], other: dict[str, Any] | None = None, only: str = "") -> Any:
    """Put things in the places of references; with `only`, that one from `other`."""
    if isinstance(value, Ref):
        return (other if other is not None and value.thing == only else things)[value.thing]
    if isinstance(value, dict):
        return {key: resolved(part, things, other, only) for key, part in value.items()}
    if isinstance(value, list):
        return [resolved(part, things, other, only) for part in value]
    return value


def references(value: Any) -> set[str]:
    """List the things an example input names."""
    if isinstance(value, Ref):
        return {value.thing}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {thing for part in parts for thing in references(part)}
