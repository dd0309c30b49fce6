"""What a change has to pass, by account and repository."""

from __future__ import annotations

from signing.approvals.policies import FIELDS, policy_of, strictest

__all__ = ("FIELDS", "policy_of", "strictest")
