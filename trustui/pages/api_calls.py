"""The same by program: which endpoints do what a page shows and what its buttons do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from trustui.api.calls import curl, endpoints

# name of a page's address -> names of endpoints, in the order of the page. Their values are the page's own.
SHOWN: dict[str, tuple[str, ...]] = {
    "repositories": ("repositories_index",),
    "repository_new": ("repositories_new",),
    "repository": ("repositories_show", "repositories_check", "repositories_inspect"),
    "tag": ("repositories_tag", "publish_pull"),
    "repository_history": ("history_index",),
    "alerts": ("alerts_index",),
    "alert": ("alerts_show", "alerts_accept"),
    "watched_keys": ("alerts_watched_index", "alerts_watched", "alerts_unwatch"),
    "publish": ("publish_image",),
    "sign": ("publish_digest",),
    "keys": ("keys_index",),
    "key_generate": ("keys_generate",),
    "key_import": ("keys_import_file",),
    "key_enrol": ("keys_enrol",),
    "key_held": ("held_keys_enrol",),
    "key_allowed": ("held_keys_allow",),
    "key": ("keys_show", "keys_csr", "keys_certificate", "keys_download"),
    "key_rotate": ("rotations_rotate",),
    "rotations": ("rotations_index",),
    "rotation": (
        "rotations_show",
        "rotations_ask",
        "rotations_pause",
        "rotations_resume",
        "rotations_retry",
        "rotations_drop",
    ),
    "key_freeze": ("freezing_key",),
    "account_freeze": ("freezing_account",),
    "person_freeze": ("freezing_person",),
    "freezes": ("freezing_index",),
    "freeze_lift": ("freezing_lift",),
    "signers": ("signers_index",),
    "signer_new": ("signers_new",),
    "signer": ("signers_show",),
    "requests": ("requests_index",),
    "request_new": ("request_asking_signer",),
    "request_removal": ("request_asking_removal",),
    "request_rotation": ("request_asking_rotation",),
    "request_signature": ("request_asking_signature",),
    "request_revocation": ("request_asking_revocation",),
    "request_change": ("request_asking_change",),
    "request": (
        "requests_show",
        "requests_approve",
        "requests_reject",
        "requests_prove",
        "requests_retry",
        "requests_withdraw",
        "requests_renew",
    ),
    "accounts_policy": ("policies_show_of_account", "policies_of_account"),
    "repository_policy": ("policies_show_of_repository", "policies_of_repository"),
    "operations": ("operations_index",),
    "operation": ("operations_show", "operations_cancel", "operations_retry"),
    "accounts": ("accounts_index",),
    "account_new": ("accounts_new",),
    "account": ("accounts_show",),
    "accounts_members": ("members_list_of_account", "members_of_account", "members_remove_from_account"),
    "repository_members": ("members_list_of_repository", "members_of_repository", "members_remove_from_repository"),
    "accounts_change": ("accounts_change",),
    "trust_servers": ("trust_servers_index",),
    "trust_server_new": ("trust_servers_new",),
    "trust_server": ("trust_servers_show", "trust_servers_change"),
    "trust_server_contents": ("trust_server_contents_index",),
    "trust_server_repository": ("trust_server_contents_repository",),
    "trust_server_import": ("trust_server_transfers_bring_in",),
    "trust_server_export": ("trust_server_transfers_give_back",),
    "people": ("people_index",),
    "person_new": ("people_new",),
    "person": (
        "people_show",
        "people_password",
        "people_second_factor",
        "people_sessions",
        "people_standing",
        "people_activate",
        "people_deactivate",
    ),
    "person_change": ("people_change",),
    "machines": ("machines_index",),
    "machine_new": ("machines_new",),
    "machine": ("machines_show", "tokens_revoke", "people_deactivate"),
    "machine_token_new": ("tokens_new",),
    "own_tokens": ("tokens_index", "tokens_revoke"),
    "token_new": ("tokens_new",),
    "mfa_index": ("my_sign_in_show", "my_sign_in_sessions_end", "my_sign_in_session_end"),
    "inbox": ("inbox_index", "inbox_read"),
    "notice_choices": ("inbox_ways", "inbox_choices"),
    "account_webhooks": ("webhooks_index",),
    "account_webhook_new": ("webhooks_new",),
    "webhook": (
        "webhooks_show",
        "webhooks_change",
        "webhooks_secret",
        "webhooks_ping",
        "webhooks_delete",
        "webhooks_deliveries",
        "webhooks_again",
    ),
    "key_matcher": ("key_matcher_find",),
    "expiry": ("expiry_index",),
    "health_page": ("health_index",),
    "audit": ("audit_index", "audit_download"),
    "audit_event": ("audit_show",),
    "audit_check": ("audit_check",),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One endpoint as a line to copy."""

    says: str
    line: str


def calls_of(request: HttpRequest, known: Mapping[str, Any]) -> list[Call]:
    """List the calls that do what this page does, with the values its address has and what else is known."""
    match = request.resolver_match
    names = SHOWN.get(match.url_name or "", ()) if match else ()
    base = request.build_absolute_uri("/")
    return [Call(endpoints()[name].summary, curl(base, name, {**known, **_values(request, name)})) for name in names]


def _values(request: HttpRequest, name: str) -> dict[str, Any]:
    """Take what the address of the page says, in its path and after it."""
    endpoint = endpoints()[name]
    values: dict[str, Any] = dict(request.resolver_match.kwargs) if request.resolver_match else {}
    for asked in endpoint.names("query"):
        if given := request.GET.get(asked):
            values[asked] = given
    for member, schema in endpoint.members.items():
        if (value := _member(request, member, str(schema.get("type")))) not in (None, []):
            values[member] = value
    return values


def _member(request: HttpRequest, member: str, kind: str) -> Any:
    """Read one member of a body where a link to this page filled it in."""
    if kind == "array":
        return [value for value in request.GET.getlist(member.removesuffix("ies") + "y") if value]
    given = request.GET.get(member) or None
    if kind == "integer" and given:
        return int(given) if given.isdecimal() else None
    return given
