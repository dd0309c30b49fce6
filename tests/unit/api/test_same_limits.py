"""A form and its endpoint ask for the same things, within the same limits; what they mean is the service's to judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms

from trustui.api.calls import endpoints
from trustui.forms import (
    accounts,
    keys,
    members,
    operations,
    people,
    repositories,
    requests,
    signers,
    tokens,
    trust_server_transfers,
    trust_servers,
    webhooks,
)

FORMS: list[tuple[type[forms.Form], str]] = [
    (accounts.AccountForm, "accounts_new"),
    (accounts.AccountChangeForm, "accounts_change"),
    (members.MachineForm, "machines_new"),
    (repositories.RepositoryForm, "repositories_new"),
    (keys.GenerateKeyForm, "keys_generate"),
    (keys.ImportKeyForm, "keys_import_file"),
    (keys.EnrolKeyForm, "keys_enrol"),
    (keys.CertificateForm, "keys_certificate"),
    (signers.SignerForm, "signers_new"),
    (operations.PublishForm, "publish_image"),
    (operations.SignDigestForm, "publish_digest"),
    (people.PersonForm, "people_new"),
    (people.PersonChangeForm, "people_change"),
    (requests.RejectionForm, "requests_reject"),
    (requests.ApprovalForm, "requests_approve"),
    (requests.ProofForm, "requests_prove"),
    (tokens.TokenForm, "tokens_new"),
    (trust_servers.TrustServerForm, "trust_servers_new"),
    (trust_servers.TrustServerChangeForm, "trust_servers_change"),
    (trust_server_transfers.ImportForm, "trust_server_transfers_bring_in"),
    (trust_server_transfers.ExportForm, "trust_server_transfers_give_back"),
    (webhooks.WebhookForm, "webhooks_new"),
    (webhooks.WebhookChangeForm, "webhooks_change"),
]

# What only a page needs: typing it twice, a file instead of its text, ticking what a program says by an empty text.
OF_PAGES_ONLY = {"passphrase_again", "pem_file", "forget_password"}


def _limit(schema: dict[str, Any]) -> int | None:
    """Find how long a text may be; null beside it does not matter."""
    lengths = [one.get("maxLength") for one in schema.get("anyOf", [schema]) if one.get("type") == "string"]
    return lengths[0] if lengths else None


def _fields() -> Iterator[tuple[str, str, forms.Field]]:
    for form, endpoint in FORMS:
        for name, field in form.base_fields.items():
            if name not in OF_PAGES_ONLY:
                yield endpoint, name, field


CASES = list(_fields())


@pytest.mark.parametrize(("endpoint", "name", "field"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_the_endpoint_takes_what_the_form_asks_for(endpoint: str, name: str, field: forms.Field) -> None:
    members = endpoints()[endpoint].members
    assert name in members
    limit = getattr(field, "max_length", None)
    if limit is not None and "enum" not in members[name]:
        assert _limit(members[name]) == limit
