"""An example input for every address that changes something, and who sends it.

Sent as it is here, each is accepted and writes exactly one audit event, except those that say how many and why.
An address without one fails `test_every_mutating_address_has_an_example`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signing.models import Event
from signing.trust.keystore.base import PrivateKey
from tests.unit.matrix.world import Ref

PASSPHRASE = "correct horse battery"
KEY_PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE.encode()),
    )
    .decode()
)
PUBLIC_PEM = PrivateKey.generate().public.to_pem()
IN_A_TOKEN = "pkcs11:token=ops;object=alice2"
DIGEST = "sha256:" + "cd" * 32
IN_A_MONTH = (datetime.now(tz=UTC) + timedelta(days=30)).date().isoformat()


@dataclass(frozen=True)
class Act:
    """One example input. `path` overrides what stands in the address; `because` tells why it writes no event."""

    by: str
    data: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    path: dict[str, Any] = field(default_factory=dict)
    because: str = ""
    is_refused: bool = False  # nobody can do it in this world, and `because` says where it is tested instead


def _elsewhere(where: str) -> Act:
    return Act("lead", because=f"tested in {where}", is_refused=True)


_ACCOUNT = {"account": Ref("account")}
_PASSPHRASES = {"passphrase_repository": PASSPHRASE}
_SIGNATURE = {"tag": "2.0", "digest": DIGEST, "length": "528"}
_POLICY = {"needed_approvals": "2", "needed_to_sign": "0", "request_days": "14", "requires_possession": "on"}
_NEW_ACCOUNT = {"name": "shop", "registry": "registry.test:5000", "namespace": "shop"}
_ROTATIONS = "tests/unit/jobs/test_rotations.py, with work to stop"
_HOLDERS = "tests/unit/jobs/test_signatures.py, with bytes to sign"
_SIGN_IN = "tests/unit/pages/test_sign_in.py, with what a browser or an authenticator gives"

PAGES = {
    "language": Act("developer", {"language": "zh-hans"}, because="a cookie, and nothing here"),
    "theme": Act("developer", {"theme": "dark"}, because="a cookie, and nothing here"),
    "account_login": Act("stranger", {"login": "dan", "password": "pw"}),
    "account_logout": Act("developer"),
    "account_signup": Act("stranger", because="nobody signs up", is_refused=True),
    "account_change_password": Act(
        "developer", {"oldpassword": "pw", "password1": "long enough and new 1", "password2": "long enough and new 1"}
    ),
    "own_tokens": Act("developer"),
    "token_new": Act("developer", {"name": "laptop", "scopes": ["read"], "days": "30", "repositories": [Ref("gun")]}),
    "inbox_read": Act("developer", because="what somebody has read is theirs"),
    "notice_choices": Act("developer", dict.fromkeys(Event.values, "digest")),
    "repository_members": Act("lead", {"user": Ref("username"), "role": "signer", "last_day": IN_A_MONTH}),
    "repository_remove_member": Act("lead", {"user": "gus"}),
    "repository_check": Act("developer"),
    "repository_pull": Act("developer"),
    "repository_new": Act("lead", {"path": "third", "description": ""}, _ACCOUNT),
    "publish": Act(
        "signer",
        {"source": "alpine:3.20", "tag": "2.0", "signer": Ref("signer"), "passphrase": PASSPHRASE, "sign": "on"},
    ),
    "sign": Act(
        "signer",
        {"tag": "2.0", "digest": DIGEST, "length": "528", "signer": Ref("signer"), "passphrase": PASSPHRASE},
    ),
    "key_matcher": Act("developer", {"pem": PUBLIC_PEM}, because="it only reads"),
    "key_rotate": Act("lead", {"reason": "planned", "by": "unattended"}, path={"key_id": Ref("planless_key")}),
    "rotation_ask": Act("lead", {"comment": "it is time"}),
    "rotation_drop": Act("lead"),
    **{name: _elsewhere(_ROTATIONS) for name in ("rotation_pause", "rotation_resume", "rotation_retry")},
    "alert_accept": Act("lead", {"reason": "she told me"}),
    "watched_keys": Act("developer", {"key_id": "ab" * 32}),
    "watched_key_remove": Act("developer"),
    "key_freeze": Act("signer", {"reason": "lost"}),
    "account_freeze": Act("lead", {"reason": "lost"}),
    "person_freeze": Act("admin", {"reason": "lost"}),
    "freeze_lift": Act("admin", {"reason": "found"}),
    "key_csr": Act("signer", {"passphrase": PASSPHRASE}),
    "key_certificate": Act("signer", {"pem": Ref("certificate")}),
    "key_generate": Act(
        "signer",
        {"purpose": "signer", "name": "alice2", "passphrase": PASSPHRASE, "passphrase_again": PASSPHRASE},
        _ACCOUNT,
    ),
    "key_import": Act(
        "signer", {"purpose": "signer", "name": "alice2", "pem": KEY_PEM, "passphrase": PASSPHRASE}, _ACCOUNT
    ),
    "key_held": Act("signer", {"purpose": "signer", "name": "alice2", "location": IN_A_TOKEN, "pin": "2468"}, _ACCOUNT),
    "key_allowed": Act("lead", {"allowed_guns": Ref("gun")}, path={"key_id": Ref("remote_key")}),
    "key_enrol": Act("signer", {"name": "alice2", "pem": PUBLIC_PEM}, _ACCOUNT),
    "signer_new": Act("lead", {"name": "dora", "key": Ref("candidate_key"), "user": ""}, _ACCOUNT),
    "request_new": Act("developer", {"signer": Ref("candidate"), "repositories": [Ref("second")]}, _ACCOUNT),
    "request_removal": Act("developer", {"signer": Ref("signer"), "repositories": [Ref("gun")]}, _ACCOUNT),
    "request_rotation": Act("lead", {"repositories": [Ref("gun")], "role": "targets"}, _ACCOUNT),
    "request_signature": Act("developer", {**_SIGNATURE, "signer": Ref("signer")}),
    "request_revocation": Act("developer", {"reason": "it is broken"}),
    "request_prove": Act("developer", {"signature": Ref("signature")}, path={"pk": Ref("proving_request")}),
    "request_retry": Act("lead", _PASSPHRASES, path={"pk": Ref("stuck_request")}),
    "request_withdraw": Act("developer", path={"pk": Ref("own_request")}),
    "request_renew": Act("developer", path={"pk": Ref("expired_request")}),
    "request_change": Act("developer", {"repositories": [Ref("second")]}, path={"pk": Ref("own_request")}),
    "accounts_policy": Act("lead", _POLICY),
    "repository_policy": Act("lead", _POLICY),
    "request_approve": Act("lead", {"content_hash": Ref("content_hash"), **_PASSPHRASES}),
    "request_reject": Act("lead"),
    "operation_cancel": Act("lead"),
    "operation_retry": Act("lead", path={"pk": Ref("failed_operation")}),
    "account_new": Act("admin", {**_NEW_ACCOUNT, "trust_server": Ref("trust_server_pk")}),
    "accounts_change": Act("lead", {"trust_server": Ref("trust_server_pk"), "registry_username": "robot"}),
    "accounts_members": Act("lead", {"user": Ref("username"), "role": "signer"}),
    "accounts_remove_member": Act("lead", {"user": Ref("username")}),
    "account_webhook_new": Act("lead", {"url": "https://hook.test/two", "events": ["signed"]}),
    "webhook": Act("lead", {"url": "https://hook.test/three", "events": ["signed"], "is_active": "on"}),
    "webhook_secret": Act("lead"),
    "webhook_ping": Act("lead"),
    "webhook_delete": Act("lead"),
    "webhook_again": Act("lead"),
    "machine_new": Act("lead", {"username": "bot", "repositories": [Ref("gun")]}, _ACCOUNT),
    "machine_token_new": Act(
        "lead", {"name": "job", "scopes": ["request"], "days": "30", "repositories": [Ref("gun")]}
    ),
    "token_revoke": Act("lead"),
    "trust_server": Act("admin", {"url": "https://notary.test:4443", "username": "me"}),
    "trust_server_new": Act("admin", {"name": "new", "url": "https://new.test"}),
    "person_new": Act("admin", {"username": "nina"}),
    "person_change": Act("admin", {"full_name": "Dan Dee", "email": "dan@example.com"}),
    "person_standing": Act("admin", {"standing": "auditor"}),
    "person_password": Act("admin"),
    "person_activate": Act("admin", path={"pk": Ref("deactivated")}),
    "person_deactivate": Act("admin"),
    "person_sessions": Act("admin"),
    "person_second_factor": _elsewhere(_SIGN_IN),
    **{
        name: _elsewhere(_SIGN_IN)
        for name in (
            "account_reauthenticate",
            "account_reset_password",
            "account_reset_password_from_key",
            "mfa_login_webauthn",
            "mfa_authenticate",
            "mfa_reauthenticate",
            "mfa_reauthenticate_webauthn",
            "mfa_activate_totp",
            "mfa_deactivate_totp",
            "mfa_add_webauthn",
            "mfa_remove_webauthn",
            "mfa_edit_webauthn",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "my_session_end",
            "openid_connect_login",
            "socialaccount_login_cancelled",
        )
    },
    "my_sessions_end": Act("developer"),
}
del PAGES["own_tokens"]

CALLS = {
    "accounts_new": Act("admin", {**_NEW_ACCOUNT, "trust_server": Ref("trust_server")}),
    "accounts_change": Act("lead", {"registry_username": "robot"}),
    "members_of_account": Act("lead", {"role": "signer"}),
    "members_of_repository": Act("lead", {"role": "signer"}),
    "members_remove_from_account": Act("lead"),
    "members_remove_from_repository": Act("lead", path={"username": "gus"}),
    "policies_of_account": Act("lead", {"needed_approvals": 2}),
    "policies_of_repository": Act("lead", {"needed_approvals": 2}),
    "machines_new": Act("lead", {"account": Ref("account"), "username": "bot", "repositories": [Ref("gun")]}),
    "webhooks_new": Act("lead", {"url": "https://hook.test/two", "events": ["signed"]}),
    "webhooks_change": Act("lead", {"url": "https://hook.test/three"}),
    "webhooks_secret": Act("lead"),
    "webhooks_ping": Act("lead"),
    "webhooks_delete": Act("lead"),
    "webhooks_again": Act("lead"),
    "inbox_read": Act("developer", {}, because="what somebody has read is theirs"),
    "inbox_choices": Act("developer", {"ways": dict.fromkeys(Event.values, "digest")}),
    "my_sign_in_sessions_end": Act("developer"),
    "my_sign_in_session_end": _elsewhere(_SIGN_IN),
    "request_asking_signer": Act("developer", {"signer": Ref("candidate"), "repositories": [Ref("second")]}),
    "request_asking_removal": Act("developer", {"signer": Ref("signer"), "repositories": [Ref("gun")]}),
    "request_asking_rotation": Act(
        "lead", {"account": Ref("account"), "repositories": [Ref("gun")], "role": "targets"}
    ),
    "request_asking_signature": Act("developer", {**_SIGNATURE, "length": 528, "signer": Ref("signer_name")}),
    "request_asking_revocation": Act("developer", {}),
    "request_asking_change": Act("developer", {"repositories": [Ref("second")]}, path={"pk": Ref("own_request")}),
    "requests_prove": Act("developer", {"signature": Ref("signature")}, path={"pk": Ref("proving_request")}),
    "requests_renew": Act("developer", path={"pk": Ref("expired_request")}),
    "requests_retry": Act("lead", {"passphrases": {"repository": PASSPHRASE}}, path={"pk": Ref("stuck_request")}),
    "requests_withdraw": Act("developer", path={"pk": Ref("own_request")}),
    "people_change": Act("admin", {"full_name": "Dan Dee"}),
    "people_standing": Act("admin", {"standing": "auditor"}),
    "people_second_factor": _elsewhere(_SIGN_IN),
    "people_sessions": Act("admin"),
    "repositories_new": Act("lead", {"account": Ref("account"), "path": "third"}),
    "repositories_check": Act("developer"),
    "publish_image": Act(
        "signer",
        {"source": "alpine:3.20", "tag": "2.0", "signer": Ref("signer_name"), "passphrase": PASSPHRASE},
    ),
    "publish_digest": Act(
        "signer",
        {"tag": "2.0", "digest": DIGEST, "length": 528, "signer": Ref("signer_name"), "passphrase": PASSPHRASE},
    ),
    "publish_pull": Act("developer"),
    "key_matcher_find": Act("developer", {"pem": PUBLIC_PEM}, because="it only reads"),
    "keys_generate": Act("signer", {"account": Ref("account"), "name": "alice2", "passphrase": PASSPHRASE}),
    "keys_import_file": Act(
        "signer", {"account": Ref("account"), "name": "alice2", "pem": KEY_PEM, "passphrase": PASSPHRASE}
    ),
    "held_keys_enrol": Act(
        "signer", {"account": Ref("account"), "name": "alice2", "location": IN_A_TOKEN, "pin": "2468"}
    ),
    "held_keys_allow": Act("lead", {"allowed_guns": [Ref("gun")]}, path={"key_id": Ref("remote_key")}),
    "keys_enrol": Act("signer", {"account": Ref("account"), "name": "alice2", "pem": PUBLIC_PEM}),
    "rotations_rotate": Act("lead", {"reason": "planned", "unattended": True}, path={"key_id": Ref("planless_key")}),
    "rotations_ask": Act("lead", {"comment": "it is time"}),
    "rotations_drop": Act("lead", {}),
    **{name: _elsewhere(_ROTATIONS) for name in ("rotations_pause", "rotations_resume", "rotations_retry")},
    "alerts_accept": Act("lead", {"reason": "she told me"}),
    "alerts_watched": Act("developer", {"key_id": "ab" * 32}),
    "alerts_unwatch": Act("developer"),
    "freezing_key": Act("signer", {"reason": "lost"}),
    "freezing_account": Act("lead", {"reason": "lost"}),
    "freezing_person": Act("admin", {"reason": "lost"}),
    "freezing_lift": Act("admin", {"reason": "found"}),
    "keys_csr": Act("signer", {"passphrase": PASSPHRASE}),
    "keys_certificate": Act("signer", {"pem": Ref("certificate")}),
    "signers_new": Act("lead", {"account": Ref("account"), "name": "dora", "key": Ref("candidate_key")}),
    "requests_approve": Act("lead", {"content_hash": Ref("content_hash"), "passphrases": {"repository": PASSPHRASE}}),
    "requests_reject": Act("lead", {}),
    "operations_cancel": Act("lead"),
    "operations_retry": Act("lead", {}, path={"pk": Ref("failed_operation")}),
    "trust_servers_new": Act("admin", {"name": "new", "url": "https://new.test"}),
    "trust_servers_change": Act("admin", {"username": "me"}),
    "people_new": Act("admin", {"username": "nina"}),
    "people_password": Act("admin"),
    "people_activate": Act("admin", path={"pk": Ref("deactivated")}),
    "people_deactivate": Act("admin"),
    "tokens_new": Act("developer", {"name": "laptop", "scopes": ["read"], "days": 30, "repositories": [Ref("gun")]}),
    "tokens_revoke": Act("lead"),
    "signatures_give": replace(_elsewhere(_HOLDERS), data={"signature": "AAAA", "sha256": "ab" * 32}),
    "signatures_refuse": Act("signer", {"comment": "Not what I was told."}),
}

_TRANSFERS = "tested in tests/unit/pages/test_trust_server_transfers.py"
BUILTIN = {
    "api:trust_server_transfers_bring_in": Act(
        "admin", {"source": Ref("trust_server"), "guns": [Ref("gun")]}, because=_TRANSFERS, is_refused=True
    ),
    "api:trust_server_transfers_give_back": Act(
        "admin",
        {
            "guns": [Ref("gun")],
            "server_database": "postgres://a:b@db.test/s",
            "signer_database": "postgres://a:b@db.test/k",
            "signer_alias": "one",
            "signer_passphrase": PASSPHRASE,
        },
        because=_TRANSFERS,
        is_refused=True,
    ),
    "trust_server_import": _elsewhere("tests/unit/pages/test_trust_server_transfers.py, with a server that answers"),
    "trust_server_export": _elsewhere("tests/unit/pages/test_trust_server_transfers.py, with databases to write to"),
}

ACTS = PAGES | {f"api:{name}": act for name, act in CALLS.items()} | BUILTIN
