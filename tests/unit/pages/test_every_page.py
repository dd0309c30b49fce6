"""What holds for every page: who gets in, how it is built, how large it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from signing.models import Alert, Rotation, SignedTag, User
from signing.server.models import MetadataFile
from signing.services.api_tokens import create_token
from signing.services.freezing import freeze
from signing.services.machines import create_machine
from signing.services.webhooks import create_webhook, ping_webhook
from tests.factories import Cast, make_key, make_operation, make_request
from trustui.urls import urlpatterns

from .reading import Page

LARGEST = 150_000
OPEN_TO_ALL = {
    "health",
    "registry_token",
    "expiry_feed",  # asks for a token
    "metrics",  # asks for a token
    "theme",
    "language",
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "openid_connect_login",
    "openid_connect_callback",
    "socialaccount_login_cancelled",
}
POST_ONLY = {
    "alert_accept",
    "watched_key_remove",
    "rotation_ask",
    "rotation_pause",
    "rotation_resume",
    "rotation_retry",
    "rotation_drop",
    "repository_check",
    "repository_pull",
    "key_csr",
    "key_certificate",
    "request_approve",
    "request_reject",
    "request_prove",
    "request_retry",
    "request_withdraw",
    "request_renew",
    "operation_cancel",
    "operation_retry",
    "accounts_remove_member",
    "repository_remove_member",
    "token_revoke",
    "person_standing",
    "person_password",
    "person_activate",
    "person_deactivate",
    "person_second_factor",
    "person_sessions",
    "my_session_end",
    "my_sessions_end",
    "inbox_read",
    "webhook_secret",
    "webhook_ping",
    "webhook_delete",
    "webhook_again",
}
FILES = {
    "repository_json",
    "repository_metadata_file",
    "key_download",
    "trust_server_ca",
    "audit_key",
    "audit_download",
    "request_step_up",
    "freeze_step_up",
    "keys_csv",
    "keys_json",
    "expiry_csv",
    "expiry_json",
    "alerts_csv",
    "alerts_json",
    "repository_history_file",
}
SESSION = {
    "watched_key_remove",  # of one's own list; what is not on it is off it
    "account_change_password",
    "account_reauthenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_add_webauthn",
    "mfa_remove_webauthn",
    "mfa_edit_webauthn",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
}
ADMINISTRATORS = {
    "account_new",
    "trust_server_new",
    "trust_server_contents",
    "trust_server_repository",
    "trust_server_import",
    "trust_server_export",
    "people",
    "person_new",
    "person",
    "person_change",
    "person_freeze",
    "freeze_lift",
}
LEADS = {"machine", "machine_token_new"}


@pytest.fixture
def arguments(cast: Cast) -> dict[str, str | int]:
    """Values for every part of an address, all of things in the cast's account."""
    server = cast.account.trust_server
    server.ca_pem, server.is_builtin = "-----BEGIN CERTIFICATE-----\n", True
    server.save()
    MetadataFile.objects.create(gun=cast.repository.gun, role="root", version=1, data=b"{}", created_at=timezone.now())
    SignedTag.objects.create(
        repository=cast.repository, tag="1.0", digest="ab" * 32, length=528, signers=["alice"], sort_key="1"
    )
    asked = make_request(cast.alice, [cast.repository], cast.signer)
    operation = make_operation("refresh", "refresh", cast.repository, requested_by=cast.lead)
    webhook, _ = create_webhook(actor=cast.lead, account=cast.account, url="https://hook.test/", events=["signed"])
    delivery = ping_webhook(actor=cast.lead, webhook=webhook)
    machine = create_machine(actor=cast.lead, account=cast.account, username="ci")
    token, _ = create_token(
        actor=cast.lead, user=machine, name="t", scopes=["read"], repositories=[cast.repository], days=1
    )
    return {
        "gun": cast.repository.gun,
        "tag": "1.0",
        "key_id": cast.alice.key.key_id,
        "part": "public",
        "signer": cast.alice.pk,
        "request": asked.pk,
        "operation": operation.pk,
        "account": cast.account.name,
        "trust": server.name,
        "person": cast.developer.pk,
        "number": 1,
        "webhook": webhook.pk,
        "machine": machine.pk,
        "token": token.pk,
        "delivery": delivery.pk,
        "freeze": freeze(actor=cast.lead, key=make_key(cast.account, name="frosty"), reason="lost").pk,
        "rotation": Rotation.objects.create(key=make_key(cast.account, name="older"), reason="planned").pk,
        "alert": Alert.objects.create(kind="signers", repository=cast.repository, reason="Changed.").pk,
        "act": "freeze",
        "kind": "account",
        "which": cast.account.name,
        "form": "csv",
        "mfa": 1,
        "my": 1,
        "uidb36": "1",
        "key": "a-b",
        "provider_id": "oidc",
        "stem": "accounts",
    }


def address(pattern: URLPattern, values: dict[str, str | int]) -> str:
    """Fill in a pattern: `pk` and `name` mean what the first word of the address's name says."""
    thing = "account" if pattern.name.startswith(("accounts_", "account_")) else pattern.name.split("_")[0]
    given = {part: values.get(part, values.get(thing)) for part in pattern.pattern.converters}
    return reverse(pattern.name, kwargs=given)


def patterns(*left_out: set[str]) -> list[URLPattern]:
    skipped = set().union(*left_out)
    pages = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]  # the API has tests of its own
    return [pattern for pattern in pages if pattern.name not in skipped]


def test_a_stranger_is_sent_to_the_sign_in_from_everywhere(arguments: dict[str, str | int]) -> None:
    for pattern in patterns(OPEN_TO_ALL):
        url = address(pattern, arguments)
        for response in (Client().get(url), Client().post(url)):
            assert response.status_code in (302, 405), url
            if response.status_code == 302:
                assert response.url.startswith("/me/login/"), url


@pytest.mark.parametrize("person", ["admin", "lead", "signer", "developer", "auditor"])
def test_every_page_opens_for_every_member(
    cast: Cast, arguments: dict[str, str | int], as_person: Callable[[User], Client], person: str
) -> None:
    client = as_person(getattr(cast, person))
    not_theirs = set() if person == "admin" else set(ADMINISTRATORS)
    not_theirs |= LEADS if person not in ("admin", "lead") else set()
    # somebody else's act, and what only leads and auditors see
    not_theirs |= {"audit_event", "webhook"} if person in ("signer", "developer") else set()
    for pattern in patterns(OPEN_TO_ALL, POST_ONLY, FILES, SESSION, not_theirs):
        url = address(pattern, arguments)
        response = client.get(url, {"account": cast.account.name} if url.startswith("/new/") else {})
        is_refused = pattern.name in REFUSED.get(person, set())
        assert response.status_code == (403 if is_refused else 200), url
        page = Page(response)
        assert len(response.content) < LARGEST, url
        assert len(page.all("h1")) == 1, url
        assert page.all("main"), url
        assert page.all("a", **{"class": "skip"}), url
        assert not any("style" in attributes for _, attributes in page.tags), url
        assert all("src" in script for script in page.all("script")), url


# What a role may not even begin: the page says so instead of showing a form that would be refused.
WEBHOOKS = {"account_webhooks", "account_webhook_new"}
REFUSED = {
    "admin": {"request_change"},
    "lead": {"request_change"},
    "signer": {"repository_new", "accounts_change", "request_rotation", "machine_new", "account_freeze", *WEBHOOKS},
    "developer": {
        *WEBHOOKS,
        "account_freeze",
        "key_freeze",
        "key_rotate",
        "machine_new",
        "repository_new",
        "accounts_change",
        "key_generate",
        "key_import",
        "key_enrol",
        "key_held",
        "signer_new",
        "request_change",
        "request_rotation",
    },
    "auditor": {
        "account_freeze",
        "key_freeze",
        "key_rotate",
        "account_webhook_new",
        "machine_new",
        "repository_new",
        "accounts_change",
        "key_generate",
        "key_import",
        "key_enrol",
        "key_held",
        "signer_new",
        "publish",
        "sign",
        "request_new",
        "request_removal",
        "request_rotation",
        "request_signature",
        "request_revocation",
        "request_change",
    },
}


def test_an_outsider_cannot_tell_foreign_things_from_missing_ones(
    cast: Cast, arguments: dict[str, str | int], as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.outsider)
    # the trust server is shared by both accounts, everybody may download the events they may read, and read of the API
    shared = ("trust_server", "audit_download", "api_docs")
    own = patterns(OPEN_TO_ALL, SESSION)  # the others are about oneself
    for pattern in [p for p in own if p.pattern.converters and not p.name.startswith(shared)]:
        url = address(pattern, arguments)
        response = client.post(url) if pattern.name in POST_ONLY else client.get(url)
        assert response.status_code == 404, pattern.name
        assert "There is nothing here" in response.content.decode()


def test_every_label_belongs_to_its_field(
    cast: Cast, arguments: dict[str, str | int], as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.admin)
    for pattern in patterns(OPEN_TO_ALL, POST_ONLY, FILES, SESSION):
        page = Page(client.get(address(pattern, arguments), {"account": cast.account.name}))
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), f"{pattern.name}: an id is used twice"
        labelled = {label["for"] for label in page.all("label") if "for" in label}
        assert labelled <= set(ids), pattern.name
        described = {i for _, a in page.tags for i in (a.get("aria-describedby") or "").split()}
        assert described <= set(ids), pattern.name
