"""Repositories: the list, what is done with one, and its tags one by one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.models import SignedTag
from signing.permissions import may
from signing.selectors import inspection as inspected
from signing.selectors.alerts import alerts_of
from signing.selectors.history import names_of, people_of_keys
from signing.selectors.repositories import tags_of, visible_repositories
from signing.services.repositories import check_now, create_repository
from trustui.forms.repositories import RepositoryFilter, RepositoryForm
from trustui.htmx import HtmxRequest, answers_part, with_vary
from trustui.pages import commands
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page, may_somewhere, page_of
from trustui.pages.history import of_tag
from trustui.pages.repository import open_check, people_of
from trustui.pages.tag_words import reason_of


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    filters = RepositoryFilter(request)
    rows = visible_repositories(request.user, filters.value("q"))
    if account := filters.value("account"):
        rows = rows.filter(account__name=account)
    if verdict := filters.value("verdict"):
        rows = rows.filter(verdict=verdict)
    part = "#rows" if answers_part(request, "rows") else ""
    context = {
        "page": page_of(request, rows),
        "filters": filters,
        "is_filtered": bool(filters.value("q") or account or verdict),
        "may_add": not part and may_somewhere(request, "create_repository"),
    }
    return with_vary(render(request, f"pages/repositories.html{part}", context))


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_repository")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, "add a repository")
    form = RepositoryForm(request, account)
    if form.is_valid():
        repository = form.carry_out(create_repository, actor=request.user, account=account, **form.cleaned_data)
        if repository:
            messages.success(request, f"{repository.gun} is here. Its trust server is being asked about it.")
            return redirect(repository)
    return form_page(request, "pages/repository_new.html", form, account=account)


@login_required
@require_GET
def tag(request: HtmxRequest, gun: str, tag: str) -> HttpResponse:
    """Show one tag, as `docker trust inspect GUN:TAG` does."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    signed: list[SignedTag] = list(tags_of(repository).filter(tag=tag))
    people = people_of_keys(repository)
    context = {
        "repository": repository,
        "tag": tag,
        "signed": [(row, reason_of(row.reason_code), names_of(row.key_ids, people)) for row in signed],
        "unsigned": repository.unsigned_tags.filter(tag=tag).first(),
        "alerts": alerts_of(repository, tag),
        "rows": of_tag(repository, tag),
        "people": people_of(repository),
        "pretty": inspected.pretty(repository, tag),
        "json": inspected.as_json(repository, tag),
        "may_pull": may(request.user, "pull", repository),
        "may_publish": may(request.user, "publish", repository),
        "may_revoke": may(request.user, "request_revocation", repository),
        "inspect_command": commands.inspect(repository, tag),
        "verify_command": commands.verify(repository, tag),
        "operations": repository.operations.filter(parameters__tag=tag)[:5],
        "server": repository.account.trust_server,
    }
    return render(request, "pages/tag.html", context, status=200 if signed else 404)


@login_required
@require_GET
def as_json(request: HtmxRequest, gun: str) -> HttpResponse:
    """Give the very JSON `docker trust inspect` prints, or with `?form=pretty` what it prints for people."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    if not repository.administrative_keys:
        raise Http404("no trust data")
    if request.GET.get("form") == "pretty":
        return HttpResponse(inspected.all_pretty(repository), content_type="text/plain; charset=utf-8")
    return HttpResponse(inspected.as_json(repository), content_type="application/json")


@login_required
@require_POST
def check(request: HtmxRequest, gun: str) -> HttpResponse:
    """Ask the trust server now; the page follows the check by itself."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    check_now(actor=request.user, repository=repository)
    if answers_part(request, "check"):
        context = {"repository": repository, "checking": open_check(repository), "may_check": True}
        return with_vary(render(request, "pages/repository.html#check", context))
    return redirect(repository)
