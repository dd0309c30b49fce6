"""A team in a cluster: an account, a signer approved for several repositories, and a token to publish with.

Runs as a program of its own under the web process's settings, through the services and the queues as pages do:
`python -m tests.parts.cluster_team REGISTRY REPOSITORIES`. Its last line is JSON.
"""

from __future__ import annotations

import json
import sys
import time

import django

PATIENCE = 90
PASSPHRASE = "passphrase of the team"


def main() -> None:
    """Make the team and tell its names."""
    django.setup()
    from signing.models import Account, Membership, Operation, TrustServer, User
    from signing.services import accounts, api_tokens, keys, members, repositories, requests, signers

    registry, many = sys.argv[1], int(sys.argv[2])
    admin = User.objects.filter(is_superuser=True).earliest("pk")
    lead, alice = User.objects.create_user("lea"), User.objects.create_user("alice")
    account: Account = accounts.create_account(
        actor=admin, name="team", registry=registry, namespace="team", trust_server=TrustServer.objects.get()
    )
    members.set_member(actor=admin, account=account, user=lead, role=Membership.Role.LEAD)
    members.set_member(actor=lead, account=account, user=alice, role=Membership.Role.SIGNER)
    for actor, purpose, name in ((lead, "root", "root"), (alice, "signer", "alice")):
        _done(
            keys.generate_key(
                actor=actor, account=account, purpose=purpose, name=name, passphrase=PASSPHRASE, unattended=True
            )
        )
    signer = signers.create_signer(
        actor=alice, account=account, name="alice", key=account.keys.get(purpose="signer"), user=alice
    )
    made = [repositories.create_repository(actor=lead, account=account, path=f"app-{n}") for n in range(many)]
    request = requests.request_signer(actor=alice, signer=signer, repositories=made)
    requests.approve_request(actor=lead, request=request, passphrases={})
    for item in request.items.all():
        assert item.operation is not None
        _done(Operation.objects.get(pk=item.operation.pk))
    _, token = api_tokens.create_token(actor=alice, user=alice, name="load", scopes=("read", "publish"), days=1)
    print(json.dumps({"token": token, "signer": signer.name, "guns": [row.gun for row in made]}))


def _done(operation: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not operation.is_finished:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline, f"{operation} is not done"
        time.sleep(0.1)
        operation.refresh_from_db()  # type: ignore[attr-defined]
    assert operation.state == "done", operation.error  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
