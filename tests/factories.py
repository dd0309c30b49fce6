"""Rows for tests: an account with its people, repositories, keys and signers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from signing.adapters.envelopes import WITNESSED
from signing.adapters.sealed_keys import store_key
from signing.approvals.opening import keep_previews, previews_of
from signing.models import (
    Account,
    AuditEvent,
    ChangeRequest,
    ChangeRequestItem,
    Key,
    Membership,
    Operation,
    Repository,
    Signer,
    TrustServer,
    User,
)
from signing.trust.keystore.base import PrivateKey

PASSPHRASE = "correct horse battery"
DIGEST = "5f" * 32


def make_user(name: str, **fields: Any) -> User:
    return User.objects.create_user(username=name, password="pw", **fields)


def make_trust_server(name: str = "notary", **fields: Any) -> TrustServer:
    return TrustServer.objects.create(name=name, url=fields.pop("url", f"https://{name}.test:4443"), **fields)


def make_account(name: str = "team", **fields: Any) -> Account:
    server = fields.pop("trust_server", None) or TrustServer.objects.first() or make_trust_server()
    fields.setdefault("registry", "registry.test:5000")
    fields.setdefault("namespace", name)
    return Account.objects.create(name=name, trust_server=server, **fields)


def make_member(account: Account, name: str, role: str) -> User:
    user = make_user(name)
    Membership.objects.create(account=account, user=user, role=role)
    return user


def make_repository(account: Account, path: str = "app", **fields: Any) -> Repository:
    return Repository.objects.create(account=account, gun=f"{account.registry}/{account.namespace}/{path}", **fields)


def make_key(account: Account, purpose: str = "signer", name: str = "", **fields: Any) -> Key:
    """Make a key with its envelope; `passphrase` and `is_unattended` as the worker takes them.

    The envelope's witness is left out: it would be one event more in every story that counts events.
    """
    fields.setdefault("passphrase", PASSPHRASE)
    name = name or {"root": "root", "repository": "targets"}.get(purpose, "alice")
    key = store_key(PrivateKey.generate(), account=account, purpose=purpose, name=name, **fields)
    AuditEvent.objects.filter(action=WITNESSED, detail__key=key.key_id).delete()
    return key


def make_signer(account: Account, name: str = "alice", *, user: User | None = None, **fields: Any) -> Signer:
    key = fields.pop("key", None) or make_key(account, name=name, owner=user, **fields)
    return Signer.objects.create(account=account, name=name, key=key, user=user)


def make_request(signer: Signer, repositories: list[Repository], requested_by: User, **fields: Any) -> ChangeRequest:
    fields.setdefault("expires_at", timezone.now() + timedelta(days=14))
    request = ChangeRequest.objects.create(account=signer.account, signer=signer, requested_by=requested_by, **fields)
    for repository in repositories:
        ChangeRequestItem.objects.create(request=request, repository=repository)
    keep_previews(request, previews_of(request))
    return request


def make_operation(kind: str, step: str, repository: Repository | None = None, **fields: Any) -> Operation:
    if repository:
        fields.setdefault("account", repository.account)
    return Operation.objects.create(kind=kind, step=step, repository=repository, **fields)


def approve_in_trust_data(repository: Repository, *signers: Signer) -> None:
    """Make the row say what a refresh would have found after these signers were added."""
    repository.signers = [{"name": signer.name, "keys": [signer.key.key_id]} for signer in signers]
    repository.administrative_keys = repository.administrative_keys or {"root": ["r" * 64], "repository": ["t" * 64]}
    repository.verdict = Repository.Verdict.VERIFIED
    repository.verified_at = repository.checked_at = timezone.now()
    repository.save()


@dataclass
class Cast:
    """The people of every story: two accounts, and one person per role in the first."""

    admin: User
    lead: User
    other_lead: User
    signer: User
    developer: User
    auditor: User
    outsider: User  # leads another account
    account: Account
    foreign: Account
    repository: Repository
    alice: Signer  # the signer's own, approved for the repository


def make_cast() -> Cast:
    admin = make_user("root", is_superuser=True, is_staff=True)
    account, foreign = make_account("team"), make_account("other")
    people = {
        "lead": make_member(account, "lea", "lead"),
        "other_lead": make_member(account, "lou", "lead"),
        "signer": make_member(account, "alice", "signer"),
        "developer": make_member(account, "dan", "developer"),
        "auditor": make_member(account, "ada", "auditor"),
        "outsider": make_member(foreign, "oscar", "lead"),
    }
    repository = make_repository(account)
    alice = make_signer(account, "alice", user=people["signer"])
    approve_in_trust_data(repository, alice)
    return Cast(admin=admin, account=account, foreign=foreign, repository=repository, alice=alice, **people)
