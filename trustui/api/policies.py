"""What changes have to pass: read it, and ask for another policy."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from signing.models import Account, ChangeRequest, Key, Policy, Repository
from signing.permissions import require
from signing.selectors.policies import policy_of
from signing.services.requests import request_policy_change
from trustui.api.accounts import AccountName
from trustui.api.accounts import find as account_of_name
from trustui.api.base import ApiRequest, Body, Flag, Reason, words
from trustui.api.repositories import Gun
from trustui.api.repositories import find as repository_named
from trustui.api.requests import RequestDetail, find

router = Router()

Count = Annotated[int, Field(strict=True, ge=0, le=3650)]


Custody = Annotated[Key.Custody, words(Key.Custody)]


class PolicyOut(Schema):
    """What a change has to pass. `is_own`: not merely the account's, and not merely the usual values."""

    needed_approvals: int
    needed_to_sign: int
    request_days: int
    requires_possession: bool
    requires_step_up: bool
    most_signer_days: int | None
    refused_custodies: list[Custody]
    is_own: bool


class AskForPolicy(Body):
    """What is to change; what is left out stays. `most_signer_days` null: a signer need not end.

    `refused_custodies`: keys of these classes may not sign.
    """

    needed_approvals: Count | None = None
    needed_to_sign: Count | None = None
    request_days: Count | None = None
    requires_possession: Flag | None = None
    requires_step_up: Flag | None = None
    most_signer_days: Count | None = None
    refused_custodies: Annotated[list[Custody], Field(max_length=4)] | None = None
    reason: Reason = ""


@router.get("/accounts/{slug:name}/policy", response=PolicyOut, summary="Show an account's policy")
def show_of_account(request: ApiRequest, name: AccountName) -> dict[str, Any]:
    """Show what counts in an account, where a repository has no policy of its own."""
    return _shown(request, account_of_name(request, name))


@router.get("/repositories/{gun:gun}/-/policy", response=PolicyOut, summary="Show a repository's policy")
def show_of_repository(request: ApiRequest, gun: Gun) -> dict[str, Any]:
    """Show what counts in a repository."""
    return _shown(request, repository_named(request, gun))


@router.post(
    "/accounts/{slug:name}/policy/request", response={201: RequestDetail}, summary="Ask for an account's policy"
)
def of_account(request: ApiRequest, name: AccountName, body: AskForPolicy) -> Status[ChangeRequest]:
    """Ask for another policy of an account. Somebody else has to approve it."""
    return _asked(request, account_of_name(request, name), None, body)


@router.post(
    "/repositories/{gun:gun}/-/policy/request", response={201: RequestDetail}, summary="Ask for a repository's policy"
)
def of_repository(request: ApiRequest, gun: Gun, body: AskForPolicy) -> Status[ChangeRequest]:
    """Ask for a policy of a repository's own, which then counts in place of the account's."""
    repository = repository_named(request, gun)
    return _asked(request, repository.account, repository, body)


def _asked(
    request: ApiRequest, account: Account, repository: Repository | None, body: AskForPolicy
) -> Status[ChangeRequest]:
    given = body.model_dump(exclude_unset=True)
    reason = given.pop("reason", "")
    wanted = {name: value for name, value in given.items() if value is not None or name == "most_signer_days"}
    if "refused_custodies" in wanted:
        wanted["refused_custodies"] = sorted({custody.value for custody in wanted["refused_custodies"]})
    made = request_policy_change(actor=request.user, account=account, repository=repository, reason=reason, **wanted)
    return Status(201, find(request, made.pk))


def _shown(request: ApiRequest, thing: Account | Repository) -> dict[str, Any]:
    require(request.user, "read_policy", thing)
    policy: Policy = policy_of(thing)
    own = policy.pk is not None and (isinstance(thing, Account) or policy.repository_id == thing.pk)
    members = {name: getattr(policy, name) for name in PolicyOut.model_fields if name != "is_own"}
    return {**members, "is_own": own}
