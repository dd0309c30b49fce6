"""Who may do what at every address, on what is in their own account: one line each.

A new address without a line fails `test_every_address_has_a_line`. To read "may" means: the answer is neither
"sign in" nor "forbidden" nor "nothing here". What changes something is sent the example input of `acts`, and "may"
means that it was done: its audit event is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.unit.matrix.world import ROLES

NO: frozenset[str] | None = None  # the address does not answer this method
ALL = frozenset(ROLES)
SIGNED_IN = ALL - {"stranger"}
ADMIN = frozenset({"admin"})
READS_ALL = ADMIN | {"everything"}
LEADS = ADMIN | {"account_admin", "lead"}
READS_AUDIT = LEADS | {"auditor", "everything"}
KEY_HOLDERS = LEADS | {"signer"}
WORKERS = KEY_HOLDERS | {"developer"}
MEMBERS = WORKERS | {"auditor", "everything"}
WORKERS_HERE = WORKERS | {"guest"}  # who has the role in the one repository only, too
MEMBERS_HERE = MEMBERS | {"guest"}
SIGNER = frozenset({"signer"})
DEVELOPER = frozenset({"developer"})  # who asked
STRANGER = frozenset({"stranger"})
ALL_BUT_READERS = WORKERS_HERE | {"outsider"}
LEADS_ANYWHERE = LEADS | {"outsider"}  # of their own account, where the address names none
KEYS_ANYWHERE = KEY_HOLDERS | {"outsider"}
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Line:
    """Who may read a page, and who may send it the example input; an endpoint has one method and uses `who`."""

    get: frozenset[str] | None = NO
    post: frozenset[str] | None = NO


def _page(get: frozenset[str] | None = NO, post: frozenset[str] | None = NO) -> Line:
    return Line(get, post)


def _call(who: frozenset[str]) -> Line:
    return Line(who, who)


PAGES = {
    # for everybody
    "health": _page(ALL, NO),
    "theme": _page(NO, ALL),
    "design": _page(SIGNED_IN),
    "language": _page(NO, ALL),
    "account_login": _page(ALL, STRANGER),
    "account_logout": _page(ALL, SIGNED_IN),
    "account_signup": _page(ALL, ALL),
    "account_inactive": _page(ALL, NO),
    "account_reset_password": _page(ALL, ALL),
    "account_reset_password_done": _page(ALL, NO),
    "account_reset_password_from_key": _page(ALL, ALL),
    "account_reset_password_from_key_done": _page(ALL, NO),
    "mfa_login_webauthn": _page(SIGNED_IN, SIGNED_IN),  # a stranger first asks for it on the sign-in page
    "mfa_authenticate": _page(SIGNED_IN, SIGNED_IN),
    "openid_connect_login": _page(NO, NOBODY),  # no provider is set up
    "openid_connect_callback": _page(NOBODY, NO),
    "socialaccount_login_cancelled": _page(ALL, ALL),
    # for who is signed in
    "overview": _page(SIGNED_IN),
    "account_change_password": _page(SIGNED_IN, SIGNED_IN),
    "account_reauthenticate": _page(SIGNED_IN, SIGNED_IN),
    "mfa_reauthenticate": _page(SIGNED_IN, SIGNED_IN),
    "mfa_reauthenticate_webauthn": _page(SIGNED_IN, SIGNED_IN),
    "mfa_index": _page(SIGNED_IN, NO),
    "mfa_activate_totp": _page(SIGNED_IN, SIGNED_IN),
    "mfa_deactivate_totp": _page(NOBODY, NOBODY),
    "mfa_add_webauthn": _page(SIGNED_IN, SIGNED_IN),
    "mfa_remove_webauthn": _page(SIGNED_IN, SIGNED_IN),
    "mfa_edit_webauthn": _page(SIGNED_IN, SIGNED_IN),
    "mfa_view_recovery_codes": _page(SIGNED_IN, SIGNED_IN),
    "mfa_generate_recovery_codes": _page(SIGNED_IN, SIGNED_IN),
    "my_sessions_end": _page(NO, SIGNED_IN),
    "my_session_end": _page(NO, NOBODY),  # somebody else's session
    "own_tokens": _page(SIGNED_IN),
    "token_new": _page(SIGNED_IN, MEMBERS_HERE),
    "inbox": _page(SIGNED_IN),
    "inbox_read": _page(NO, SIGNED_IN),
    "notice_choices": _page(SIGNED_IN, SIGNED_IN),
    "repositories": _page(SIGNED_IN),
    "keys": _page(SIGNED_IN),
    "key_matcher": _page(SIGNED_IN, SIGNED_IN),
    "expiry": _page(SIGNED_IN),
    "health_page": _page(SIGNED_IN),
    "metrics": _page(NOBODY),  # a token of the settings opens it, and no session
    "keys_csv": _page(SIGNED_IN),
    "keys_json": _page(SIGNED_IN),
    "expiry_csv": _page(SIGNED_IN),
    "expiry_json": _page(SIGNED_IN),
    "expiry_feed": _page(NOBODY),  # a token in its address opens it, and no session
    "signers": _page(SIGNED_IN),
    "requests": _page(SIGNED_IN),
    "operations": _page(SIGNED_IN),
    "accounts": _page(SIGNED_IN),
    "trust_servers": _page(SIGNED_IN),
    "machines": _page(SIGNED_IN),
    "alerts": _page(SIGNED_IN),
    "alerts_csv": _page(SIGNED_IN),
    "alerts_json": _page(SIGNED_IN),
    "alert": _page(MEMBERS_HERE),
    "alert_accept": _page(NO, LEADS),
    "watched_keys": _page(SIGNED_IN, SIGNED_IN),
    "watched_key_remove": _page(NO, SIGNED_IN),
    "audit": _page(SIGNED_IN),
    "audit_key": _page(SIGNED_IN),
    "audit_download": _page(SIGNED_IN),
    # repositories
    "repository": _page(MEMBERS_HERE),
    "tag": _page(MEMBERS_HERE),
    "repository_json": _page(MEMBERS_HERE),
    "repository_history": _page(MEMBERS_HERE),
    "repository_history_file": _page(MEMBERS_HERE),
    "repository_metadata": _page(MEMBERS_HERE),
    "repository_metadata_file": _page(MEMBERS_HERE),
    "repository_ci": _page(MEMBERS_HERE),
    "repository_members": _page(MEMBERS_HERE, LEADS),
    "repository_remove_member": _page(NO, LEADS),
    "repository_check": _page(NO, WORKERS_HERE),
    "repository_pull": _page(NO, WORKERS_HERE),
    "repository_new": _page(LEADS_ANYWHERE, LEADS),
    "publish": _page(WORKERS_HERE, SIGNER),
    "sign": _page(WORKERS_HERE, SIGNER),
    # keys and signers
    "key": _page(MEMBERS_HERE),  # its signer is named in the repository's trust data
    "key_download": _page(MEMBERS_HERE),
    "key_csr": _page(NO, KEY_HOLDERS),
    "key_certificate": _page(NO, KEY_HOLDERS),
    "key_rotate": _page(LEADS, LEADS),
    "rotations": _page(SIGNED_IN),
    "rotation": _page(MEMBERS_HERE),
    "rotation_ask": _page(NO, LEADS | SIGNER),
    "rotation_pause": _page(NO, LEADS | SIGNER),
    "rotation_resume": _page(NO, LEADS | SIGNER),
    "rotation_retry": _page(NO, LEADS | SIGNER),
    "rotation_drop": _page(NO, LEADS | SIGNER),
    "key_freeze": _page(LEADS | SIGNER, LEADS | SIGNER),
    "account_freeze": _page(LEADS, LEADS),
    "person_freeze": _page(ADMIN | DEVELOPER, ADMIN | DEVELOPER),  # it is the developer's own
    "freezes": _page(SIGNED_IN),
    "freeze_lift": _page(ADMIN, ADMIN),
    "freeze_step_up": _page(MEMBERS_HERE),
    "key_generate": _page(KEYS_ANYWHERE, KEY_HOLDERS),
    "key_import": _page(KEYS_ANYWHERE, KEY_HOLDERS),
    "key_enrol": _page(KEYS_ANYWHERE, KEY_HOLDERS),
    "key_held": _page(KEYS_ANYWHERE, KEY_HOLDERS),
    "key_allowed": _page(MEMBERS, LEADS),
    "signer": _page(MEMBERS_HERE),
    "signer_new": _page(KEYS_ANYWHERE, LEADS),
    # requests and operations
    "request": _page(MEMBERS_HERE),
    "request_approve": _page(NO, LEADS),
    "request_reject": _page(NO, LEADS),
    "request_step_up": _page(MEMBERS_HERE, NO),
    "request_new": _page(ALL_BUT_READERS, WORKERS),
    "request_removal": _page(ALL_BUT_READERS, WORKERS_HERE),
    "request_rotation": _page(LEADS_ANYWHERE, LEADS),
    "request_signature": _page(WORKERS_HERE, WORKERS_HERE),
    "request_revocation": _page(WORKERS_HERE, WORKERS_HERE),
    "request_prove": _page(NO, WORKERS_HERE),
    "request_retry": _page(NO, LEADS),
    "request_withdraw": _page(NO, LEADS | {"developer"}),
    "request_renew": _page(NO, WORKERS_HERE),
    "request_change": _page(DEVELOPER, DEVELOPER),
    "accounts_policy": _page(MEMBERS_HERE, LEADS),
    "repository_policy": _page(MEMBERS_HERE, LEADS),
    "operation": _page(MEMBERS_HERE),
    "operation_cancel": _page(NO, LEADS),
    "operation_retry": _page(NO, LEADS),
    # accounts
    "account_new": _page(ADMIN, ADMIN),
    "account": _page(MEMBERS_HERE),
    "accounts_change": _page(LEADS, LEADS),
    "accounts_members": _page(MEMBERS, LEADS),
    "accounts_remove_member": _page(NO, LEADS),
    "account_webhooks": _page(READS_AUDIT),
    "account_webhook_new": _page(LEADS, LEADS),
    "webhook": _page(READS_AUDIT, LEADS),
    "webhook_secret": _page(NO, LEADS),
    "webhook_ping": _page(NO, LEADS),
    "webhook_delete": _page(NO, LEADS),
    "webhook_again": _page(NO, LEADS),
    "machine": _page(LEADS | {"everything"}),
    "machine_new": _page(LEADS_ANYWHERE, LEADS),
    "machine_token_new": _page(LEADS, LEADS),
    "token_revoke": _page(NO, LEADS),
    # the installation
    "trust_server": _page(MEMBERS_HERE, ADMIN),
    "trust_server_ca": _page(MEMBERS_HERE),
    "trust_server_new": _page(ADMIN, ADMIN),
    "people": _page(READS_ALL),
    "person": _page(READS_ALL),
    "person_new": _page(ADMIN, ADMIN),
    "person_change": _page(ADMIN, ADMIN),
    "person_standing": _page(NO, ADMIN),
    "person_password": _page(NO, ADMIN),
    "person_activate": _page(NO, ADMIN),
    "person_deactivate": _page(NO, ADMIN),
    "person_second_factor": _page(NO, ADMIN),
    "person_sessions": _page(NO, ADMIN),
    "audit_check": _page(SIGNED_IN),
    "audit_event": _page(READS_AUDIT),
}

CALLS: dict[str, Line] = {
    "me_show": _call(SIGNED_IN),
    "accounts_index": _call(SIGNED_IN),
    "accounts_new": _call(ADMIN),
    "accounts_show": _call(MEMBERS_HERE),
    "accounts_change": _call(LEADS),
    "members_list_of_account": _call(MEMBERS),
    "members_list_of_repository": _call(MEMBERS_HERE),
    "members_of_account": _call(LEADS),
    "members_of_repository": _call(LEADS),
    "members_remove_from_account": _call(LEADS),
    "members_remove_from_repository": _call(LEADS),
    "policies_show_of_account": _call(MEMBERS_HERE),
    "policies_show_of_repository": _call(MEMBERS_HERE),
    "policies_of_account": _call(LEADS),
    "policies_of_repository": _call(LEADS),
    "machines_index": _call(SIGNED_IN),
    "machines_new": _call(LEADS),
    "machines_show": _call(LEADS | {"everything"}),
    "webhooks_index": _call(READS_AUDIT),
    "webhooks_new": _call(LEADS),
    "webhooks_show": _call(READS_AUDIT),
    "webhooks_deliveries": _call(READS_AUDIT),
    "webhooks_change": _call(LEADS),
    "webhooks_secret": _call(LEADS),
    "webhooks_ping": _call(LEADS),
    "webhooks_delete": _call(LEADS),
    "webhooks_again": _call(LEADS),
    "inbox_read": _call(SIGNED_IN),
    "inbox_index": _call(SIGNED_IN),
    "inbox_choices": _call(SIGNED_IN),
    "inbox_ways": _call(SIGNED_IN),
    "my_sign_in_show": _call(SIGNED_IN),
    "my_sign_in_sessions_end": _call(SIGNED_IN),
    "my_sign_in_session_end": _call(NOBODY),  # somebody else's session
    "repositories_index": _call(SIGNED_IN),
    "repositories_new": _call(LEADS),
    "repositories_tags": _call(MEMBERS_HERE),
    "repositories_tag": _call(MEMBERS_HERE),
    "repositories_inspect": _call(MEMBERS_HERE),
    "repositories_check": _call(WORKERS_HERE),
    "repositories_show": _call(MEMBERS_HERE),
    "publish_image": _call(SIGNER),
    "publish_digest": _call(SIGNER),
    "publish_pull": _call(WORKERS_HERE),
    "keys_index": _call(SIGNED_IN),
    "keys_generate": _call(KEY_HOLDERS),
    "keys_import_file": _call(KEY_HOLDERS),
    "keys_enrol": _call(KEY_HOLDERS),
    "held_keys_enrol": _call(KEY_HOLDERS),
    "held_keys_allow": _call(LEADS),
    "keys_show": _call(MEMBERS_HERE),
    "keys_download": _call(MEMBERS_HERE),
    "keys_csr": _call(KEY_HOLDERS),
    "keys_certificate": _call(KEY_HOLDERS),
    "rotations_index": _call(SIGNED_IN),
    "rotations_show": _call(MEMBERS_HERE),
    "rotations_rotate": _call(LEADS),  # the example is of a repository's key,
    "rotations_ask": _call(LEADS | SIGNER),
    "rotations_pause": _call(LEADS | SIGNER),
    "rotations_resume": _call(LEADS | SIGNER),
    "rotations_retry": _call(LEADS | SIGNER),
    "rotations_drop": _call(LEADS | SIGNER),
    "history_index": _call(MEMBERS_HERE),
    "alerts_index": _call(SIGNED_IN),
    "alerts_show": _call(MEMBERS_HERE),
    "alerts_accept": _call(LEADS),
    "alerts_watched_index": _call(SIGNED_IN),
    "alerts_watched": _call(SIGNED_IN),
    "alerts_unwatch": _call(SIGNED_IN),
    "freezing_index": _call(SIGNED_IN),
    "freezing_key": _call(LEADS | SIGNER),
    "freezing_account": _call(LEADS),
    "freezing_person": _call(ADMIN | DEVELOPER),
    "freezing_lift": _call(ADMIN),
    "freezing_confirm": _call(NOBODY),
    "expiry_index": _call(SIGNED_IN),
    "health_index": _call(SIGNED_IN),
    "key_matcher_find": _call(SIGNED_IN),
    "signers_index": _call(SIGNED_IN),
    "signers_new": _call(LEADS),
    "signers_show": _call(MEMBERS_HERE),
    "requests_index": _call(SIGNED_IN),
    "requests_show": _call(MEMBERS_HERE),
    "request_asking_signer": _call(WORKERS),
    "request_asking_removal": _call(WORKERS_HERE),
    "request_asking_rotation": _call(LEADS),
    "request_asking_signature": _call(WORKERS_HERE),
    "request_asking_revocation": _call(WORKERS_HERE),
    "request_asking_change": _call(DEVELOPER),
    "requests_begin": _call(NOBODY),
    "requests_prove": _call(WORKERS_HERE),
    "requests_renew": _call(WORKERS_HERE),
    "requests_retry": _call(LEADS),
    "requests_withdraw": _call(LEADS | {"developer"}),
    "requests_approve": _call(LEADS),
    "requests_reject": _call(LEADS),
    "operations_index": _call(SIGNED_IN),
    "operations_show": _call(MEMBERS_HERE),
    "operations_cancel": _call(LEADS),
    "operations_retry": _call(LEADS),
    "trust_servers_index": _call(SIGNED_IN),
    "trust_servers_new": _call(ADMIN),
    "trust_servers_show": _call(MEMBERS_HERE),
    "trust_servers_change": _call(ADMIN),
    "trust_servers_ca_file": _call(MEMBERS_HERE),
    "people_index": _call(READS_ALL),
    "people_new": _call(ADMIN),
    "people_show": _call(READS_ALL),
    "people_change": _call(ADMIN),
    "people_standing": _call(ADMIN),
    "people_second_factor": _call(ADMIN),
    "people_sessions": _call(ADMIN),
    "people_password": _call(ADMIN),
    "people_activate": _call(ADMIN),
    "people_deactivate": _call(ADMIN),
    "tokens_index": _call(SIGNED_IN),
    "tokens_new": _call(MEMBERS_HERE),
    "tokens_show": _call(LEADS),
    "tokens_revoke": _call(LEADS),
    "signatures_index": _call(SIGNED_IN),
    "signatures_show": _call(MEMBERS_HERE),  # of work they may see
    **{f"signatures_{act}": _call(frozenset({"signer"})) for act in ("give", "refuse")},
    "audit_index": _call(SIGNED_IN),
    "audit_check": _call(SIGNED_IN),
    "audit_download": _call(SIGNED_IN),
    "audit_key": _call(SIGNED_IN),
    "audit_show": _call(READS_AUDIT),
}

# Addresses of the built-in trust server's contents, which another account's server has not got.
BUILTIN = {
    "trust_server_contents": _page(READS_ALL),
    "trust_server_repository": _page(READS_ALL),
    "trust_server_import": _page(ADMIN, ADMIN),
    "trust_server_export": _page(ADMIN, ADMIN),
    "api:trust_server_transfers_bring_in": _call(ADMIN),
    "api:trust_server_transfers_give_back": _call(ADMIN),
    "api:trust_server_contents_index": _call(READS_ALL),
    "api:trust_server_contents_repository": _call(READS_ALL),
}

LINES = PAGES | {f"api:{name}": line for name, line in CALLS.items()} | BUILTIN
# What docker and notary call: its own protocol, told in tests/unit/pages/test_registry_tokens.py
ELSEWHERE = frozenset({"registry_token", "api_docs", "api_docs_part"})
# What a machine account may through its token, which reads and asks in the one repository.
MACHINE = frozenset(
    {
        "me_show",
        "signatures_index",  # which is empty: a machine holds no key
        "accounts_index",
        "accounts_show",
        "repositories_index",
        "repositories_show",
        "repositories_tags",
        "repositories_tag",
        "repositories_inspect",
        "keys_index",  # and it is empty
        "expiry_index",
        "freezing_index",
        "alerts_index",
        "alerts_show",
        "alerts_watched_index",
        "history_index",
        "rotations_index",
        "health_index",
        "key_matcher_find",
        "signers_index",
        "signers_show",
        "requests_index",
        "requests_show",
        "operations_index",
        "operations_show",
        "trust_servers_index",
        "trust_servers_show",
        "trust_servers_ca_file",
        "tokens_index",
        "members_list_of_repository",
        "policies_show_of_account",
        "policies_show_of_repository",
        "machines_index",
        "inbox_index",
        "inbox_ways",
        "my_sign_in_show",
        "audit_check",
        "request_asking_removal",
        "request_asking_signature",
        "request_asking_revocation",
        "requests_prove",
        "requests_renew",
        "audit_index",
        "audit_download",
        "audit_key",
    }
)
