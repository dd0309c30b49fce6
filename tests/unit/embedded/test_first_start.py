"""A new installation gets one administrator and its own trust server; later starts only correct what changed."""

import pytest

from signing.models import AuditEvent, TrustServer, User
from trustui.embedded import certificates, first_start

pytestmark = pytest.mark.django_db
URL = "https://127.0.0.1:4443"


@pytest.fixture
def ca_pem(tmp_path) -> str:
    return certificates.ensure(tmp_path).ca.read_text()


def test_the_first_administrator_has_to_choose_a_password() -> None:
    administrator, password = first_start.ensure_administrator()
    assert administrator.check_password(password)
    assert administrator.is_superuser
    assert administrator.must_change_password


def test_a_second_start_makes_nobody() -> None:
    first, _ = first_start.ensure_administrator()
    assert first_start.ensure_administrator() == (first, "")
    assert User.objects.count() == 1


def test_the_trust_server_is_named_once(ca_pem: str) -> None:
    administrator, _ = first_start.ensure_administrator()
    for _ in range(2):
        first_start.ensure_builtin_server(administrator, URL, ca_pem)
    server = TrustServer.objects.get()
    assert (server.url, server.ca_pem, server.is_builtin) == (URL, ca_pem, True)
    assert AuditEvent.objects.count() == 1


def test_another_port_and_a_new_authority_are_followed(ca_pem: str, tmp_path) -> None:
    administrator, _ = first_start.ensure_administrator()
    first_start.ensure_builtin_server(administrator, URL, ca_pem)
    newer = certificates.ensure(tmp_path / "newer").ca.read_text()
    first_start.ensure_builtin_server(administrator, "https://127.0.0.1:4444", newer)
    server = TrustServer.objects.get()
    assert (server.url, server.ca_pem) == ("https://127.0.0.1:4444", newer)
