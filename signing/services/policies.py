"""Policies: an approved request puts one in force. There is no other way to change one."""

from __future__ import annotations

from signing.models import ChangeRequest, Policy


def put_policy_in_force(request: ChangeRequest) -> Policy:
    """Write the policy an approved request asks for; the approval writes the event."""
    item = request.items.select_related("repository").first()
    policy, _ = Policy.objects.update_or_create(
        account=request.account,
        repository=item.repository if item else None,
        defaults=request.parameters["policy"],
    )
    return policy
