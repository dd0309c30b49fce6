from __future__ import annotations

import pytest

from signing import sealing
from signing.adapters.unsealing import unseal
from signing.errors import Conflict, NotAllowed
from signing.services.trust_servers import change_trust_server, create_trust_server
from signing.trust.errors import InvalidInput


def test_an_administrator_names_a_server(cast, one_event):
    with one_event("create_trust_server"):
        server = create_trust_server(
            actor=cast.admin, name="hub", url="https://notary.test:4443/", username="u", password="p4ssword"
        )
    assert server.url == "https://notary.test:4443"
    assert unseal(server.password, sealing.trust_server_context(server.pk)) == b"p4ssword"


def test_a_lead_names_none(cast):
    with pytest.raises(NotAllowed):
        create_trust_server(actor=cast.lead, name="hub", url="https://notary.test")


@pytest.mark.parametrize(
    "url",
    ["http://notary.test", "notary.test", "https://", "https://u:p@notary.test", "https://n.test/path", "ftp://x"],
)
def test_only_plain_https_addresses_are_taken(cast, url):
    with pytest.raises(InvalidInput):
        create_trust_server(actor=cast.admin, name="hub", url=url)


def test_a_ca_file_has_to_hold_certificates(cast):
    with pytest.raises(InvalidInput, match="CA file"):
        create_trust_server(actor=cast.admin, name="hub", url="https://n.test", ca_pem="not a certificate")


def test_names_are_taken_once(cast):
    with pytest.raises(Conflict):
        create_trust_server(actor=cast.admin, name="notary", url="https://n.test")


def test_changing_keeps_what_is_not_given(cast, one_event):
    server = cast.account.trust_server
    with one_event("change_trust_server"):
        change_trust_server(actor=cast.admin, trust_server=server, username="bot", password="p4ssword")
    change_trust_server(actor=cast.admin, trust_server=server, url="https://other.test")
    server.refresh_from_db()
    assert (server.username, server.url) == ("bot", "https://other.test")
    assert server.password
