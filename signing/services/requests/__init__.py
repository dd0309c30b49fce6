"""Requests of every kind: ask, prove, decide, carry out."""

from signing.services.requests.asking import (
    request_policy_change,
    request_revocation,
    request_rotation,
    request_signature,
    request_signer,
    request_signer_removal,
)
from signing.services.requests.changing import (
    MANY,
    change_request,
    look_again,
    note_changes,
    renew_request,
    require_own,
    withdraw_request,
)
from signing.services.requests.deciding import approve_request, reject_request
from signing.services.requests.proving import prove_possession
from signing.services.requests.working import retry_request

__all__ = (
    "MANY",
    "approve_request",
    "change_request",
    "look_again",
    "note_changes",
    "prove_possession",
    "reject_request",
    "renew_request",
    "request_policy_change",
    "request_revocation",
    "request_rotation",
    "request_signature",
    "request_signer",
    "request_signer_removal",
    "require_own",
    "retry_request",
    "withdraw_request",
)
