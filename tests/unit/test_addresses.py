"""The key side's links lead where the pages are."""

from __future__ import annotations

import pytest
from django.urls import reverse

from signing import addresses
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_address_is_the_one_of_the_page() -> None:
    cast = factories.make_cast()
    asked = factories.make_request(cast.alice, [cast.repository], cast.developer)
    work = factories.make_operation("refresh", "refresh", cast.repository)
    assert addresses.account(cast.account) == cast.account.get_absolute_url()
    assert addresses.key(cast.alice.key) == cast.alice.key.get_absolute_url()
    assert addresses.repository(cast.repository) == cast.repository.get_absolute_url()
    assert addresses.request(asked) == asked.get_absolute_url()
    assert addresses.operation(work) == work.get_absolute_url()
    assert addresses.audit_check() == reverse("audit_check")
    server = cast.account.trust_server
    assert addresses.trust_server(server) == reverse("trust_server", args=[server.name])
    assert addresses.own_tokens() == reverse("own_tokens")
