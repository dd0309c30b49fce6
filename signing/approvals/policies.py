"""Which policy counts where."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from signing.models import Account, Policy, Repository

FIELDS = (
    "needed_approvals",
    "needed_to_sign",
    "request_days",
    "requires_possession",
    "requires_step_up",
    "most_signer_days",
    "refused_custodies",
)


def policy_of(thing: Account | Repository) -> Policy:
    """Give the policy of a repository, or else of its account; an unsaved one with the usual values where none is."""
    if isinstance(thing, Account):
        return thing.policies.filter(repository=None).first() or Policy(account=thing)
    return Policy.objects.filter(repository=thing).first() or policy_of(thing.account)


def strictest(account: Account, repositories: Iterable[Repository]) -> Policy:
    """Give an unsaved policy that asks as much as the strictest of several repositories, or the account's for none."""
    ids = [repository.pk for repository in repositories]
    rows = account.policies.filter(Q(repository=None) | Q(repository__in=ids))
    known = {policy.repository_id: policy for policy in rows}
    usual = known.get(None) or Policy(account=account)
    found = [known.get(pk, usual) for pk in ids] or [usual]
    ends = [policy.most_signer_days for policy in found if policy.most_signer_days is not None]
    return Policy(
        account=account,
        needed_approvals=max(policy.needed_approvals for policy in found),
        needed_to_sign=max(policy.needed_to_sign for policy in found),
        request_days=min(policy.request_days for policy in found),
        requires_possession=any(policy.requires_possession for policy in found),
        requires_step_up=any(policy.requires_step_up for policy in found),
        most_signer_days=min(ends, default=None),
        refused_custodies=sorted({custody for policy in found for custody in policy.refused_custodies}),
    )
