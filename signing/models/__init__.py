"""What the dashboard remembers.

Rows on this side never hold an opened secret: passwords and passphrases are sealed to one worker's public
key (`signing.sealing`), private keys are envelopes only the signing worker can open
(`signing.adapters.sealed_keys`).
"""

from signing.models.accounts import Account, Membership, Policy, TrustServer
from signing.models.answers import KeptAnswer
from signing.models.audit import AuditEvent, AuditHead, AuditLock
from signing.models.keys import Key, Signer
from signing.models.notices import Event, Happening, Notice, NoticeChoice, Webhook, WebhookDelivery
from signing.models.operations import EngineStatus, Operation, OperationLine, SealedSecret
from signing.models.people import ApiToken, Identity, User
from signing.models.repositories import Repository, SignedTag, TrustedMetadata
from signing.models.requests import ChangeRequest, ChangeRequestItem, Decision

__all__ = (
    "Account",
    "ApiToken",
    "AuditEvent",
    "AuditHead",
    "AuditLock",
    "ChangeRequest",
    "ChangeRequestItem",
    "Decision",
    "EngineStatus",
    "Event",
    "Happening",
    "Identity",
    "KeptAnswer",
    "Key",
    "Membership",
    "Notice",
    "NoticeChoice",
    "Operation",
    "OperationLine",
    "Policy",
    "Repository",
    "SealedSecret",
    "SignedTag",
    "Signer",
    "TrustServer",
    "TrustedMetadata",
    "User",
    "Webhook",
    "WebhookDelivery",
)
