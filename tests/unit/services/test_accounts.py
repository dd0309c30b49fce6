from __future__ import annotations

import pytest

from signing import sealing
from signing.adapters.unsealing import unseal
from signing.errors import Conflict, NotAllowed
from signing.models import Account, AuditEvent
from signing.services.accounts import change_account, create_account
from signing.trust.errors import InvalidInput, InvalidName


def test_an_administrator_opens_an_account_and_is_its_admin(cast, one_event):
    with one_event("create_account"):
        account = create_account(
            actor=cast.admin,
            name="shop",
            registry="registry.test:5000",
            namespace="shop",
            trust_server=cast.account.trust_server,
        )
    assert account.enforces_trust
    membership = account.memberships.get()
    assert (membership.user, membership.role) == (cast.admin, "admin")


def test_a_lead_opens_no_accounts(cast):
    with pytest.raises(NotAllowed):
        create_account(actor=cast.lead, name="shop", registry="r.test", trust_server=cast.account.trust_server)
    assert not AuditEvent.objects.exists()


def test_the_registry_password_is_sealed_to_the_docker_worker(cast, settings):
    account = create_account(
        actor=cast.admin,
        name="shop",
        registry="r.test",
        trust_server=cast.account.trust_server,
        registry_username="bot",
        registry_password="hunter2hunter2",
    )
    assert b"hunter2" not in bytes(account.registry_password)
    settings.SEALING_PRIVATE_KEY = settings.TEST_SEALING_PRIVATE_KEYS["docker"]
    assert unseal(account.registry_password, sealing.registry_context(account.pk)) == b"hunter2hunter2"
    assert "hunter2" not in str(AuditEvent.objects.values_list("detail", flat=True))


@pytest.mark.parametrize(
    ("registry", "namespace"),
    [("r.test/path", ""), ("UPPER CASE", "x"), ("r.test", "Bad"), ("r.test", "../x"), ("nodots", "x"), ("", "")],
)
def test_a_place_no_image_could_have_is_refused(cast, registry, namespace):
    with pytest.raises(InvalidName):
        create_account(
            actor=cast.admin,
            name="shop",
            registry=registry,
            namespace=namespace,
            trust_server=cast.account.trust_server,
        )


def test_docker_hub_needs_a_namespace(cast):
    with pytest.raises(InvalidInput, match="namespace"):
        create_account(actor=cast.admin, name="hub", registry="docker.io", trust_server=cast.account.trust_server)


def test_a_name_is_taken_once(cast):
    with pytest.raises(Conflict):
        create_account(actor=cast.admin, name="team", registry="r.test", trust_server=cast.account.trust_server)


def test_changing_keeps_what_is_not_given(cast, one_event):
    change_account(actor=cast.lead, account=cast.account, registry_username="bot", registry_password="first password")
    with one_event("change_account"):
        change_account(actor=cast.lead, account=cast.account, enforces_trust=False)
    account = Account.objects.get(pk=cast.account.pk)
    assert (account.registry_username, account.enforces_trust) == ("bot", False)
    detail = AuditEvent.objects.first().detail
    assert (detail["before"]["enforces_trust"], detail["after"]["enforces_trust"]) == (True, False)
    assert account.registry_password
    change_account(actor=cast.lead, account=account, registry_password="")
    assert not Account.objects.get(pk=account.pk).registry_password


def test_whom_to_believe_is_an_administrators_decision(cast):
    from tests.factories import make_trust_server

    other = make_trust_server("elsewhere")
    with pytest.raises(NotAllowed):
        change_account(actor=cast.lead, account=cast.account, trust_server=other)
    change_account(actor=cast.admin, account=cast.account, trust_server=other)
    assert Account.objects.get(pk=cast.account.pk).trust_server == other
