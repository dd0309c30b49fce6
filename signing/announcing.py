"""Say that something happened. The notices worker makes inbox notices, mails and webhook deliveries from it.

Both sides announce through this, in the transaction of what they tell of.
"""

from __future__ import annotations

from signing.models import Account, ChangeRequest, Event, Happening, Repository, User


def announce(
    event: Event,
    *,
    subject: str,
    path: str,
    account: Account | None = None,
    repository: Repository | None = None,
    request: ChangeRequest | None = None,
    actor: User | None = None,
    **detail: object,
) -> Happening:
    """Write one happening. `subject` is one plain sentence, `path` where the dashboard shows it."""
    return Happening.objects.create(
        event=event,
        account=account or (repository.account if repository else None),
        repository=repository,
        request=request,
        actor=actor,
        subject=subject[:300],
        path=path[:300],
        detail=detail,
    )
