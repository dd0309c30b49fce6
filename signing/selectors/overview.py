"""The numbers of the first page."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Count

from signing.models import EngineStatus, Key, Operation, Repository, SignedTag, User
from signing.selectors.accounts import visible_accounts
from signing.selectors.engine import engine_status
from signing.selectors.keys import visible_keys
from signing.selectors.operations import visible_operations
from signing.selectors.repositories import visible_repositories
from signing.selectors.requests import waiting_for
from signing.selectors.signers import visible_signers


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts of what a person may see; `verdicts` has every verdict, also those of nobody."""

    accounts: int
    repositories: int
    verdicts: dict[str, int]
    signed_tags: int
    root_keys: int
    signer_keys: int
    signers: int
    waiting_for_me: int
    open_operations: int
    failed_operations: int
    engine: EngineStatus
    latest: list[Operation] = field(default_factory=list)


def overview(user: User) -> Overview:
    """Count it in a fixed, small number of queries."""
    verdicts = dict.fromkeys(Repository.Verdict.values, 0)
    repositories = visible_repositories(user)
    verdicts |= dict(
        Repository.objects.filter(pk__in=repositories.values("pk"))
        .order_by()
        .values_list("verdict")
        .annotate(number=Count("pk"))
    )
    purposes = dict(visible_keys(user).order_by().values_list("purpose").annotate(number=Count("pk")))
    states = dict(visible_operations(user).order_by().values_list("state").annotate(number=Count("pk")))
    return Overview(
        accounts=visible_accounts(user).count(),
        repositories=sum(verdicts.values()),
        verdicts=verdicts,
        signed_tags=SignedTag.objects.filter(repository__in=repositories.values("pk")).count(),
        root_keys=purposes.get(Key.Purpose.ROOT, 0),
        signer_keys=purposes.get(Key.Purpose.SIGNER, 0),
        signers=visible_signers(user).count(),
        waiting_for_me=waiting_for(user).count(),
        open_operations=sum(count for state, count in states.items() if state not in Operation.FINISHED),
        failed_operations=states.get(Operation.State.FAILED, 0),
        engine=engine_status(),
        latest=list(visible_operations(user)[:5]),
    )
