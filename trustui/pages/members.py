"""Who has which role in an account or in one repository of it, and until when."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from signing.models import Account, Membership, Repository, User
from signing.permissions import may, require
from signing.roles import LEADS
from signing.selectors.accounts import members_of, visible_accounts
from signing.selectors.repositories import visible_repositories
from signing.services.members import remove_member, set_member
from trustui.forms.members import ROLES, MemberForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page


@login_required
@require_http_methods(["GET", "POST"])
def of_account(request: HtmxRequest, name: str) -> HttpResponse:
    account = get_object_or_404(visible_accounts(request.user), name=name)
    return _members(request, account, reverse("accounts_members", args=[name]))


@login_required
@require_http_methods(["GET", "POST"])
def of_repository(request: HtmxRequest, gun: str) -> HttpResponse:
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    return _members(request, repository, reverse("repository_members", args=[gun]))


@login_required
@require_POST
def remove_from_account(request: HtmxRequest, name: str) -> HttpResponse:
    """End a person's part in the account."""
    account = get_object_or_404(visible_accounts(request.user), name=name)
    return _remove(request, account, reverse("accounts_members", args=[name]))


@login_required
@require_POST
def remove_from_repository(request: HtmxRequest, gun: str) -> HttpResponse:
    """End a person's part in one repository."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    return _remove(request, repository, reverse("repository_members", args=[gun]))


def _members(request: HtmxRequest, place: Account | Repository, url: str) -> HttpResponse:
    if request.method == "POST":
        require(request.user, "manage_members", place)  # before the form, which says whether a user name exists
    else:
        require(request.user, "view", place)
    form = MemberForm(request, may_make_leads=may(request.user, "manage_leads", place))
    account, repository = _parts(place)
    if form.is_valid() and (
        form.carry_out(set_member, actor=request.user, account=account, repository=repository, **form.membership())
        is not None
    ):
        given = form.cleaned_data
        said = {
            "user": given["user"],
            "role": Membership.Role(given["role"]).label.lower(),
            "last_day": given["last_day"],
        }
        messages.success(
            request,
            gettext("%(user)s is %(role)s here now until the end of %(last_day)s.") % said
            if given["last_day"]
            else gettext("%(user)s is %(role)s here now.") % said,
        )
        return redirect(url)
    rows = list(members_of(place))
    return form_page(
        request,
        "pages/members.html",
        form,
        place=place,
        account=account,
        repository=repository,
        members=rows,
        members_of_account=members_of(account) if repository and may(request.user, "view", account) else (),
        may_manage=may(request.user, "manage_members", place),
        removable=_removable(request.user, place, rows),
        roles=[(role.label, says) for role, says in ROLES.items()],
        remove_url=reverse("repository_remove_member", args=[place.gun])
        if isinstance(place, Repository)
        else reverse("accounts_remove_member", args=[place.name]),
    )


def _removable(user: User, place: Account | Repository, rows: Sequence[Membership]) -> set[int]:
    """Tell whose part this person may end, so that no button stands where it would be refused."""
    if not may(user, "manage_members", place):
        return set()
    may_end_leads = may(user, "manage_leads", place)
    return {row.pk for row in rows if may_end_leads or row.role not in LEADS or row.user_id == user.pk}


def _remove(request: HtmxRequest, place: Account | Repository, url: str) -> HttpResponse:
    require(request.user, "manage_members", place)
    membership = get_object_or_404(members_of(place), user__username=request.POST.get("user", ""))
    account, repository = _parts(place)
    remove_member(actor=request.user, account=account, repository=repository, user=membership.user)
    messages.success(request, gettext("%(user)s has no role here any more.") % {"user": membership.user})
    is_still_theirs = visible_accounts(request.user).filter(pk=account.pk).exists()
    return redirect(url if is_still_theirs and may(request.user, "view", place) else "accounts")


def _parts(place: Account | Repository) -> tuple[Account, Repository | None]:
    return (place.account, place) if isinstance(place, Repository) else (place, None)
