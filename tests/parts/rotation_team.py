"""A team whose signer has signed many tags, for whoever replaces that signer's key.

Runs as a program of its own, beside a dashboard's parts: first under the web process's settings, which makes the
people, the keys and the repositories as pages do, then under the signing worker's, which signs many tags in one publish
each: `python -m tests.parts.rotation_team make REGISTRY REPOSITORIES` and `... sign TAGS`. Its last line is JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

ACCOUNT = "turn"
LEAD, SECOND = "turn-lead", "turn-second"
PASSWORD = "turns keep nine lanterns"
PASSPHRASE = "passphrase of the turn"


def main() -> None:
    """Make the team, or sign its tags."""
    django.setup()
    act, *words = sys.argv[1:]
    print(json.dumps(_make(words[0], int(words[1])) if act == "make" else _sign(int(words[0]))))


def _make(registry: str, many: int) -> dict[str, Any]:
    from signing.models import Account, Membership, Operation, TrustServer, User
    from signing.services import accounts, keys, members, repositories, requests, signers
    from tests.parts.cluster_team import _done

    admin = User.objects.filter(is_superuser=True).earliest("pk")
    lead, second = (User.objects.create_user(name, password=PASSWORD) for name in (LEAD, SECOND))
    server = TrustServer.objects.get(is_builtin=True)
    account: Account = accounts.create_account(
        actor=admin, name=ACCOUNT, registry=registry, namespace=ACCOUNT, trust_server=server
    )
    for user in (lead, second):
        members.set_member(actor=admin, account=account, user=user, role=Membership.Role.LEAD)
    for purpose, name in (("root", "root"), ("signer", "turner")):
        made = keys.generate_key(
            actor=lead, account=account, purpose=purpose, name=name, passphrase=PASSPHRASE, unattended=True
        )
        _done(made)
    key = account.keys.get(purpose="signer")
    signer = signers.create_signer(actor=lead, account=account, name="turner", key=key, user=lead)
    rows = [repositories.create_repository(actor=lead, account=account, path=f"app-{n}") for n in range(many)]
    request = requests.request_signer(actor=second, signer=signer, repositories=rows)
    requests.approve_request(actor=admin, request=request, passphrases={})
    for item in request.items.all():
        assert item.operation is not None
        _done(Operation.objects.get(pk=item.operation.pk))
    return {"key": key.key_id, "guns": [row.gun for row in rows], "ca": server.ca_pem, "server": server.url}


def _sign(many: int) -> dict[str, int]:
    from signing import wiring
    from signing.adapters.held_keys import held_keys
    from signing.jobs.state import store_verified
    from signing.models import Repository, Signer
    from signing.trust.tuf.metadata import Target

    signer = Signer.objects.select_related("key__account").get(account__name=ACCOUNT, name="turner")
    targets = [Target.from_digest(f"1.{number}", f"{number:064x}", 500 + number) for number in range(many)]
    for repository in Repository.objects.filter(account__name=ACCOUNT).select_related("account__trust_server"):
        store = held_keys(repository.account, [signer.key], {}, repository=repository)
        with wiring.transport_for(repository.account.trust_server) as transport:
            published = wiring.trust_repository(repository, transport, store).sign(targets)
        store_verified(repository, published.trusted)
    return {"tags": many}


if __name__ == "__main__":
    main()
