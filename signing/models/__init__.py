"""What the dashboard remembers.

Rows on this side never hold an opened secret: passwords and passphrases are sealed to one worker's public
key (`signing.sealing`), private keys are envelopes only the signing worker can open
(`signing.adapters.sealed_keys`).
"""

from signing.models.accounts import Account, Membership, Policy, TrustServer
from signing.models.answers import KeptAnswer
from signing.models.audit import AuditEvent, AuditHead, AuditLock
from signing.models.ceremonies import PreparedFile, SignatureTask
from signing.models.health import PartHealth
from signing.models.keys import Key, Signer
from signing.models.notices import Event, Happening, Notice, NoticeChoice, Webhook, WebhookDelivery
from signing.models.operations import EngineStatus, Operation, OperationLine, SealedSecret
from signing.models.people import ApiToken, Identity, User
from signing.models.repositories import Repository, SignedTag, TagVerdict, TrustedMetadata, UnsignedTag
from signing.models.requests import ChangeRequest, ChangeRequestItem, Decision
from signing.models.rotations import Freeze, Rotation, RotationStep
from signing.models.watching import Alert, HistoryEntry, KeptVersion, WatchedKey

__all__ = (
    "Account",
    "Alert",
    "ApiToken",
    "AuditEvent",
    "AuditHead",
    "AuditLock",
    "ChangeRequest",
    "ChangeRequestItem",
    "Decision",
    "EngineStatus",
    "Event",
    "Freeze",
    "Happening",
    "HistoryEntry",
    "Identity",
    "KeptAnswer",
    "KeptVersion",
    "Key",
    "Membership",
    "Notice",
    "NoticeChoice",
    "Operation",
    "OperationLine",
    "PartHealth",
    "Policy",
    "PreparedFile",
    "Repository",
    "Rotation",
    "RotationStep",
    "SealedSecret",
    "SignatureTask",
    "SignedTag",
    "Signer",
    "TagVerdict",
    "TrustServer",
    "TrustedMetadata",
    "UnsignedTag",
    "User",
    "WatchedKey",
    "Webhook",
    "WebhookDelivery",
)
