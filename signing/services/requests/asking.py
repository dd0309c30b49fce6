"""Ask for a change. Nothing changes before another person approves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from signing.approvals.opening import open_request, previews_of
from signing.approvals.policies import FIELDS, policy_of, strictest
from signing.approvals.previews import ROTATED, ItemPreview, policy_values
from signing.errors import Conflict, CustodyRefused, WouldLockOut
from signing.freezing import require_not_frozen
from signing.models import Account, ChangeRequest, ChangeRequestItem, Key, Repository, Signer, User
from signing.permissions import acting_token, require
from signing.selectors.signers import approved_signers
from signing.services import audit
from signing.services.operations import check_new_tag
from signing.trust.errors import CannotSign, InvalidInput, NoSuchTarget
from signing.trust.notary.gun import check_digest, check_tag
from signing.trust.tuf.roles import ROOT, TARGETS

Kind = ChangeRequest.Kind
SIGNING = (Kind.ADD_SIGNER, Kind.SIGN)  # what a frozen key is of no use for; it can still be taken out
MOST_REPOSITORIES = 500
LIMITS = {"needed_approvals": (1, 20), "needed_to_sign": (0, 20), "request_days": (1, 365)}


@transaction.atomic
def request_signer(
    *,
    actor: User,
    signer: Signer,
    repositories: Sequence[Repository],
    reason: str = "",
    ends_at: datetime | None = None,
    removes_itself: bool = False,
) -> ChangeRequest:
    """Ask that a signer may sign these repositories, perhaps until a day.

    With `removes_itself` the approval also covers taking the signer out on that day, where the keys are unattended;
    otherwise a request for that is opened then.

    Raises:
        Conflict: it is so already, or is asked for already.
    """
    _check_repositories(actor, "request_signer", signer.account, repositories)
    _check_end(signer.account, repositories, ends_at)
    for repository in repositories:
        if any(entry["name"] == signer.name and signer.key.key_id in entry["keys"] for entry in repository.signers):
            raise Conflict(f"{signer.name} may sign {repository.gun} already.", next_step="Leave this repository out.")
    parameters: dict[str, Any] = {"removes_itself": True} if removes_itself and ends_at else {}
    return _ask(
        Kind.ADD_SIGNER,
        actor=actor,
        account=signer.account,
        repositories=repositories,
        signer=signer,
        parameters=parameters,
        reason=reason,
        ends_at=ends_at,
    )


@transaction.atomic
def request_signer_removal(
    *, actor: User | None, signer: Signer, repositories: Sequence[Repository], reason: str = ""
) -> ChangeRequest:
    """Ask that a signer may not sign these repositories any more; `actor` None is the product itself."""
    _check_repositories(actor, "request_signer_removal", signer.account, repositories)
    return _ask(
        Kind.REMOVE_SIGNER,
        actor=actor,
        account=signer.account,
        repositories=repositories,
        signer=signer,
        reason=reason,
    )


@transaction.atomic
def request_signature(
    *, actor: User, repository: Repository, tag: str, digest: str, length: int, signer: Signer, reason: str = ""
) -> ChangeRequest:
    """Ask that a digest in the registry is signed as a tag by a signer; who holds their key signs on their machine."""
    _check_repositories(actor, "request_signature", repository.account, [repository])
    check_new_tag(tag)
    digest = check_digest(digest if ":" in digest else f"sha256:{digest}")
    if length <= 0:
        raise InvalidInput("The manifest's length has to be a positive number of bytes.")
    if signer not in approved_signers(repository):
        raise CannotSign(
            f"{signer.name} was never approved as a signer of {repository.gun}.",
            next_step="Request the signer for this repository first; a lead approves it.",
        )
    return _ask(
        Kind.SIGN,
        actor=actor,
        account=repository.account,
        repositories=[repository],
        signer=signer,
        parameters={"tag": tag, "digest": digest, "length": length},
        reason=reason,
    )


@transaction.atomic
def request_revocation(
    *, actor: User, repository: Repository, tag: str, reason: str = "", signer: Signer | None = None
) -> ChangeRequest:
    """Ask that a tag is released no more. It takes the key of a signer, where there are any.

    Raises:
        NoSuchTarget: the tag is not signed.
        CannotSign: no signer's key that could do it is here or enrolled.
    """
    _check_repositories(actor, "request_revocation", repository.account, [repository])
    check_tag(tag)
    if not repository.tags.filter(tag=tag).exists():
        raise NoSuchTarget(f"{tag!r} is not signed in {repository.gun}.")
    return _ask(
        Kind.REVOKE,
        actor=actor,
        account=repository.account,
        repositories=[repository],
        signer=signer or _revoking_signer(actor, repository, tag),
        parameters={"tag": tag},
        reason=reason,
    )


@transaction.atomic
def request_rotation(
    *, actor: User, repositories: Sequence[Repository], role: str, reason: str = "", keys: Sequence[Key] = ()
) -> ChangeRequest:
    """Ask that repositories get a new root, targets or snapshot key. It takes the root key in use now.

    The new keys are those given, enrolled before, which may be with their holders; else one that is made here.
    """
    account = repositories[0].account if repositories else None
    if account is None:
        raise InvalidInput("Choose at least one repository.")
    _check_repositories(actor, "request_rotation", account, repositories)
    if role not in ROTATED:
        raise InvalidInput(f"{role[:40]!r} cannot be rotated here.", next_step="Choose root, targets or snapshot.")
    for key in keys:
        _require_successor(key, role, repositories)
    return _ask(
        Kind.ROTATE,
        actor=actor,
        account=account,
        repositories=repositories,
        parameters={"role": role, **({"keys": sorted({key.key_id for key in keys})} if keys else {})},
        reason=reason,
    )


@transaction.atomic
def request_policy_change(
    *, actor: User, account: Account, repository: Repository | None = None, reason: str = "", **fields: Any
) -> ChangeRequest:
    """Ask that changes in an account, or in one repository of it, have to pass something else. Fields are a policy's.

    Raises:
        Conflict: nothing of it would change.
    """
    require(actor, "request_policy", repository or account)
    if repository is not None and repository.account_id != account.pk:
        raise InvalidInput(f"{repository.gun} is not a repository of {account}.")
    before = policy_values(policy_of(repository or account))
    wanted = before | fields
    _check_policy(wanted)
    if wanted == before:
        raise Conflict("That is the policy already.", next_step="Change something, or leave it as it is.")
    return _ask(
        Kind.CHANGE_POLICY,
        actor=actor,
        account=account,
        repositories=[repository] if repository else [],
        parameters={"policy": wanted, "before": before},
        reason=reason,
    )


def _ask(
    kind: Kind,
    *,
    actor: User | None,
    account: Account,
    repositories: Sequence[Repository],
    signer: Signer | None = None,
    parameters: dict[str, Any] | None = None,
    reason: str = "",
    ends_at: datetime | None = None,
) -> ChangeRequest:
    require_not_frozen(account=account, person=actor, key=signer.key if signer and kind in SIGNING else None)
    _require_not_waiting(kind, account, repositories, signer, parameters or {})
    request = open_request(
        kind,
        account=account,
        requested_by=actor,
        repositories=repositories,
        signer=signer,
        parameters=parameters,
        reason=reason,
        ends_at=ends_at,
        asked_through=acting_token(actor) if actor else None,
    )
    require_something_to_do(request)
    audit.record(
        actor,
        f"request_{_WORDS[kind]}",
        account=account,
        subject=signer or request,
        reason=reason,
        request=request.pk,
        custody=signer.key.custody if signer else "",
        repositories=sorted({repository.gun for repository in repositories}),
        asked=_plain(request),
    )
    return request


_WORDS = {
    Kind.ADD_SIGNER: "signer",
    Kind.REMOVE_SIGNER: "signer_removal",
    Kind.SIGN: "signature",
    Kind.REVOKE: "revocation",
    Kind.ROTATE: "rotation",
    Kind.CHANGE_POLICY: "policy_change",
}


def require_something_to_do(request: ChangeRequest) -> None:
    """Refuse what is true in some repository already; where it cannot be told, the page shows why.

    Raises:
        Conflict: it is true already.
        CustodyRefused: the policy lets none of these keys sign.
    """
    for item in previews_of(request):
        if item.problem and isinstance(item.problem.error, CustodyRefused):
            raise item.problem.error
        require_no_lock_out(request, item)
        if item.is_true_already:
            raise Conflict(f"That is so in {item.repository or request.account} already.", next_step="Leave it out.")


def require_no_lock_out(request: ChangeRequest, item: ItemPreview) -> None:
    """Refuse what leaves a role with fewer keys than it needs signatures, its last signer gone included.

    What TrustUI asks for by itself is left to who approves it: whoever left, or whose time is over, has to go.

    Raises:
        WouldLockOut: it names the roles.
    """
    if item.unsignable and request.requested_by_id is not None:
        raise WouldLockOut(f"Nobody could sign {', '.join(item.unsignable)} of {item.repository} any more.")


def _plain(request: ChangeRequest) -> dict[str, Any]:
    ends_at = request.signer_ends_at
    return {**request.parameters, **({"ends_at": ends_at.isoformat()} if ends_at else {})}


def _check_repositories(actor: User | None, action: str, account: Account, repositories: Sequence[Repository]) -> None:
    if not repositories:
        raise InvalidInput("Choose at least one repository.")
    if len(repositories) > MOST_REPOSITORIES:
        raise InvalidInput(f"One request covers {MOST_REPOSITORIES} repositories.", next_step="Ask in several parts.")
    for repository in repositories:
        if repository.account_id != account.pk:
            raise InvalidInput(f"{repository.gun} is not a repository of {account}.")
        if actor is not None:
            require(actor, action, repository)


def _check_end(account: Account, repositories: Sequence[Repository], ends_at: datetime | None) -> None:
    most = strictest(account, repositories).most_signer_days
    if ends_at is not None and ends_at <= timezone.now():
        raise InvalidInput("The signer's end has to be in the future.")
    if most is None:
        return
    if ends_at is None or ends_at > timezone.now() + timedelta(days=most + 1):
        raise InvalidInput(
            f"The policy lets a signer in for at most {most} days.", next_step="Say on which day it ends."
        )


def _require_not_waiting(
    kind: str,
    account: Account,
    repositories: Sequence[Repository],
    signer: Signer | None,
    parameters: dict[str, Any],
) -> None:
    open_ones = ChangeRequest.objects.filter(
        kind=kind, account=account, state=ChangeRequest.State.WAITING, expires_at__gt=timezone.now()
    )
    if kind == Kind.CHANGE_POLICY:
        found = next(
            (
                row
                for row in open_ones
                if set(row.items.values_list("repository", flat=True)) == {repository.pk for repository in repositories}
            ),
            None,
        )
        if found:
            raise Conflict(f"A change is asked for already, in request {found.pk}.", next_step="Wait for its decision.")
        return
    same = {name: parameters[name] for name in ("tag", "role") if name in parameters}
    waiting = ChangeRequestItem.objects.filter(request__in=open_ones, repository__in=repositories)
    if kind in (Kind.ADD_SIGNER, Kind.REMOVE_SIGNER):
        waiting = waiting.filter(request__signer=signer)
    for item in waiting.select_related("request", "repository"):
        if all(item.request.parameters.get(name) == value for name, value in same.items()):
            what = signer.name if signer and kind in (Kind.ADD_SIGNER, Kind.REMOVE_SIGNER) else "This"
            raise Conflict(
                f"{what} is asked for on {item.repository.gun} already, in request {item.request_id}.",
                next_step="Wait for its decision.",
            )


def _require_successor(key: Key, role: str, repositories: Sequence[Repository]) -> None:
    """Raise unless the key may take the place of the role's key in each of these repositories."""
    purpose = {ROOT: Key.Purpose.ROOT, TARGETS: Key.Purpose.REPOSITORY}.get(role)
    for repository in repositories:
        fits = key.account_id == repository.account_id and key.purpose == purpose
        if not fits or key.gun not in ("", repository.gun):
            raise InvalidInput(
                f"The key {key} cannot be the {role} key of {repository.gun}.",
                next_step="Choose a key that was enrolled for this, or have a new one made.",
            )


def _revoking_signer(actor: User, repository: Repository, tag: str) -> Signer | None:
    """Choose whose key takes the tag back: one here that asks nobody, the asker's own, or one who signed it."""
    if not repository.signers:
        return None
    signed = {name for row in repository.tags.filter(tag=tag) for name in row.signers}
    known = approved_signers(repository)
    if not known:
        raise CannotSign(
            f"No signer of {repository.gun} is known here.",
            next_step="Have a signer revoke it on their own machine: trustctl revoke.",
        )

    def effort(row: Signer) -> tuple[bool, bool, bool, bool, str]:
        is_elsewhere = not row.key.is_held_here
        return is_elsewhere, row.key.asks_passphrase, row.user_id != actor.pk, row.name not in signed, row.name

    return min(known, key=effort)


def _check_policy(wanted: dict[str, Any]) -> None:
    if unknown := set(wanted) - set(FIELDS):
        raise InvalidInput(f"A policy has no {sorted(unknown)[0]}.")
    for name, (least, most) in LIMITS.items():
        value = wanted[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidInput(f"{name} has to be from {least} to {most}.")
    for name in ("requires_possession", "requires_step_up"):
        if not isinstance(wanted[name], bool):
            raise InvalidInput(f"{name} is true or false.")
    refused = wanted["refused_custodies"]
    if not isinstance(refused, list) or refused != [one for one in sorted(Key.Custody.values) if one in refused]:
        raise InvalidInput(f"refused_custodies lists some of {', '.join(sorted(Key.Custody.values))}, by name.")
    days = wanted["most_signer_days"]
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 3650):
        raise InvalidInput("most_signer_days has to be from 1 to 3650, or nothing.")
