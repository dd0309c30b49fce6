"""Write a request, as a service does for a person and a tick for nobody in particular."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from signing import addresses
from signing.announcing import announce
from signing.approvals.content import ItemLines, content_hash
from signing.approvals.policies import strictest
from signing.approvals.previews import Asked, ItemPreview, policy_preview, preview
from signing.approvals.words import title_of
from signing.models import (
    Account,
    ApiToken,
    ChangeRequest,
    ChangeRequestItem,
    Event,
    Policy,
    Repository,
    Signer,
    User,
)
from signing.trust.policy.possession import make_challenge

Kind = ChangeRequest.Kind
OFTEN = (Kind.SIGN, Kind.REVOKE)  # what the policy has a number of its own for


@transaction.atomic
def open_request(
    kind: Kind,
    *,
    account: Account,
    requested_by: User | None,
    repositories: Sequence[Repository] = (),
    signer: Signer | None = None,
    parameters: dict[str, Any] | None = None,
    reason: str = "",
    ends_at: datetime | None = None,
    asked_through: ApiToken | None = None,
    follows: ChangeRequest | None = None,
    is_approved: bool = False,
) -> ChangeRequest:
    """Write the rows with what they would do now, and announce them. Whoever calls authorised it."""
    repositories = list(dict.fromkeys(repositories))
    policy = strictest(account, repositories)
    request = ChangeRequest.objects.create(
        kind=kind,
        account=account,
        signer=signer,
        parameters=parameters or {},
        reason=reason,
        signer_ends_at=ends_at,
        requested_by=requested_by,
        asked_through=asked_through,
        follows=follows,
        state=ChangeRequest.State.APPROVED if is_approved else ChangeRequest.State.WAITING,
        needed_approvals=needed_for(kind, policy),
        expires_at=timezone.now() + timedelta(days=policy.request_days),
    )
    if kind == Kind.ADD_SIGNER and signer and not signer.key.is_held_here:
        request.challenge = make_challenge(request.pk, signer.key.key_id, account.name, secrets.token_hex(16))
    ChangeRequestItem.objects.bulk_create(
        ChangeRequestItem(request=request, repository=repository) for repository in repositories
    )
    keep_previews(request, previews_of(request))
    announce(
        Event.REQUESTED,
        subject=f"{requested_by or 'TrustUI'} asks: {title_of(request)}.",
        path=addresses.request(request),
        account=account,
        repository=repositories[0] if len(repositories) == 1 else None,
        request=request,
        actor=requested_by,
        kind=kind,
        repositories=[repository.gun for repository in repositories],
    )
    return request


def needed_for(kind: str, policy: Policy) -> int:
    """Tell how many approvals a change of this kind takes."""
    return max(1, policy.needed_to_sign if kind in OFTEN else policy.needed_approvals)


def previews_of(request: ChangeRequest) -> list[ItemPreview]:
    """Work out what each part of a request would do now."""
    asked = Asked.by(request)
    previews = [preview(asked, item.repository) for item in items_of(request)]
    if not previews and request.kind == Kind.CHANGE_POLICY:
        return [policy_preview(request.parameters, request.account)]
    return previews


def items_of(request: ChangeRequest) -> list[ChangeRequestItem]:
    """List the parts of a request by name, with the account's keys read once for all of them."""
    account = Account.objects.prefetch_related("keys").select_related("trust_server").get(pk=request.account_id)
    items = list(request.items.select_related("repository", "operation").order_by("repository__gun"))
    for item in items:
        item.request = request
        item.repository.account = account
    return items


def lines_of(previews: Sequence[ItemPreview]) -> list[ItemLines]:
    """Give previews as what is hashed."""
    return [(item.repository.gun if item.repository else "", item.lines) for item in previews]


def keep_previews(request: ChangeRequest, previews: Sequence[ItemPreview]) -> None:
    """Write what was shown on the rows: from now on approvals are for this content."""
    by_repository = {item.repository.pk: item for item in previews if item.repository}
    items = list(request.items.all())
    for row in items:
        found = by_repository[row.repository_id]
        row.diff, row.affected_tags = list(found.lines), list(found.affected_tags)
    ChangeRequestItem.objects.bulk_update(items, ["diff", "affected_tags"])
    request.content_hash = content_hash(request, lines_of(previews))
    request.save(update_fields=["content_hash", "challenge"])
