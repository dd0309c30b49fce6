"""Whether a policy lets a key sign, by where its private half lives.

Asked when something is asked for, when it is approved, and by the signing worker before it uses the key.
"""

from __future__ import annotations

from collections.abc import Iterable

from signing.approvals.policies import policy_of
from signing.errors import CustodyRefused
from signing.models import Key, Repository


def require_custody(repository: Repository, keys: Iterable[Key]) -> None:
    """Raise where the repository's policy refuses one of these keys.

    Raises:
        CustodyRefused: it names the key and its custody class.
    """
    refused = policy_of(repository).refused_custodies
    for key in keys:
        if key.custody in refused:
            raise CustodyRefused(
                f"The policy of {repository.gun} refuses keys of the class {key.custody}"
                f" ({key.get_custody_display().lower()}); the {key.get_purpose_display().lower()} {key} is one.",
                custody=key.custody,
                key=key.key_id,
            )
