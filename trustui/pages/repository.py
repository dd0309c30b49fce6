"""One repository: `docker trust inspect` as a page, and who vouches for whom."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from signing.models import Freeze, Key, Operation, Repository, TagVerdict
from signing.permissions import may
from signing.roles import memberships_of
from signing.selectors import inspection
from signing.selectors.freezing import freezes_in
from signing.selectors.history import history_of
from signing.selectors.reach import Reach
from signing.selectors.signers import people_behind
from signing.selectors.tag_rows import TagFilter, Tags, count_by_verdict, count_signed
from signing.selectors.trust_chain import trust_chain_of
from trustui import etags
from trustui.fragments import fragment
from trustui.htmx import HtmxRequest, answers_part, with_vary
from trustui.pages import commands, tag_rows, trust_chain
from trustui.pages.shell import counts_of
from trustui.pages.words import VERDICTS, age

TAGS_SHOWN = 100
NEWS_SHOWN = 6


@login_required
@require_GET
def show(request: HtmxRequest, gun: str) -> HttpResponse:
    """Show a repository; an unchanged page is answered before anything of it is drawn."""
    rows = Repository.objects.select_related("account__trust_server").filter(Reach(request.user).repositories())
    shown = _Shown(request, get_object_or_404(rows, gun=gun))
    for part in ("tags", "chain", "check"):
        if answers_part(request, part):
            return with_vary(render(request, f"pages/repository.html#{part}", shown.context(part)))
    return with_vary(etags.answer(request, shown.tag, shown.page))


def open_check(repository: Repository) -> Operation | None:
    """Find the check that is under way."""
    return repository.operations.filter(
        kind=Operation.Kind.REFRESH, state__in=(Operation.State.QUEUED, Operation.State.RUNNING)
    ).first()


def people_of(repository: Repository) -> dict[str, str]:
    """Name the person or machine behind each signer whose very key is trusted here."""
    return {name: str(user) if user else _("a machine") for name, user in people_behind(repository).items()}


class _Shown:
    """What one person is shown of one repository; read where a part needs it."""

    def __init__(self, request: HtmxRequest, repository: Repository) -> None:
        self._request = request
        self._repository = repository
        verdict = request.GET.get("verdict", "")
        self._asked = TagFilter(request.GET.get("tag", "").strip(), verdict if verdict in TagVerdict.values else "")
        self._zoom = trust_chain.zoom_of(request.GET.get("zoom", ""))

    @property
    def tag(self) -> str:
        """Name everything that moves on the page, without drawing or even reading most of it."""
        row, request = self._repository, self._request
        account = row.account
        moments = (row.checked_at, row.verified_at, row.registry_checked_at)
        return etags.tag_of(
            request,
            *self._state,
            (row.description, row.reason, row.next_step, row.registry_reason),
            [(moment, age(moment)) for moment in moments if moment],
            (account.name, account.trust_server.name, account.trust_server.url, account.trust_server.ca_pem),
            (request.user.is_superuser, request.user.reads_everything),
            list(memberships_of(request.user).values_list("role", "account", "repository")),
            counts_of(request),
            self._checking and self._checking.pk,
            [freeze.pk for freeze in self._freezes],
        )

    def page(self) -> HttpResponse:
        """Draw the whole page."""
        return render(self._request, "pages/repository.html", self.context(""))

    def context(self, part: str) -> dict[str, Any]:
        """Gather what the page, or one part of it, needs."""
        row, user = self._repository, self._request.user
        context: dict[str, Any] = {"repository": row, "server": row.account.trust_server}
        if part in ("", "check"):
            context |= {"checking": self._checking, "may_check": may(user, "check_repository", row)}
        if part in ("", "tags"):
            context |= {"tags": self._fragment("tags", self._tags, self._request.GET.urlencode())}
            context |= {"may_publish": may(user, "publish", row)}
        if part in ("", "chain"):
            context |= {"chain": self._fragment("chain", self._chain, self._zoom)}
        if not part:
            context |= self._rest()
        return context

    def _rest(self) -> dict[str, Any]:
        row, user = self._repository, self._request.user
        return {
            "details": self._fragment("details", self._details),
            "news": self._fragment("news", self._news),
            "printed": self._fragment("printed", self._printed),
            "freezes": self._freezes,
            "has_trust_data": bool(row.administrative_keys),
            "may_request": may(user, "request_signer", row),
            "may_ask_signature": may(user, "request_signature", row),
            "may_rotate": may(user, "request_rotation", row),
            "inspect_command": commands.inspect(row),
            "docker_command": commands.docker_inspect(row),
        }

    @cached_property
    def _state(self) -> tuple[object, ...]:
        """What fragments show: it moves with every check that found something else, and with the account's keys."""
        row = self._repository
        keys = Key.objects.filter(account=row.account_id).aggregate(Count("pk"), Max("pk"))
        return (row.pk, row.gun, row.state_version, row.verdict, keys, self._people)

    @cached_property
    def _people(self) -> dict[str, str]:
        return people_of(self._repository)

    @cached_property
    def _signed(self) -> dict[str, int]:
        return count_signed(self._repository)

    @cached_property
    def _freezes(self) -> list[Freeze]:
        return list(freezes_in(self._repository))

    @cached_property
    def _checking(self) -> Operation | None:
        return open_check(self._repository)

    def _fragment(self, name: str, draw: Any, *more: object) -> str:
        return fragment(f"repository {name}", (*self._state, *more), draw)

    def _tags(self) -> str:
        row = self._repository
        page: Page[Any] = Paginator(Tags(row, self._asked), TAGS_SHOWN).get_page(self._request.GET.get("page"))
        counts = count_by_verdict(row, self._signed)
        if not any(counts.values()):
            return ""
        context = {
            "repository": row,
            "page": page,
            "rows": tag_rows.rows_of(row, page.object_list, self._people),
            "search": self._asked.search,
            "wanted": self._asked.verdict,
            "verdicts": [(value, VERDICTS[value][2], counts[value]) for value in TagVerdict.values if counts[value]],
            "total": sum(counts.values()),
            "request": self._request,
        }
        return render_to_string("parts/tag_list.html", context)

    def _chain(self) -> str:
        chain = trust_chain_of(self._repository, self._signed)
        if chain is None:
            return ""
        smaller, larger = trust_chain.steps_of(self._zoom)
        context = {
            "repository": self._repository,
            "picture": trust_chain.picture_of(self._repository, chain, self._zoom),
            "fits": self._zoom == trust_chain.FITTING,
            "zoom": self._zoom,
            "smaller": smaller,
            "larger": larger,
        }
        return render_to_string("parts/chain_of_trust.html", context)

    def _details(self) -> str:
        context = {
            "repository": self._repository,
            "people": self._people,
            "server": self._repository.account.trust_server,
        }
        return render_to_string("parts/repository_details.html", context)

    def _printed(self) -> str:
        row, most = self._repository, inspection.PRINTED_TAGS
        context = {"repository": row, "pretty": inspection.pretty(row), "printed_tags": most}
        return render_to_string(
            "parts/repository_printed.html", context | {"is_cut": sum(self._signed.values()) > most}
        )

    def _news(self) -> str:
        context = {"repository": self._repository, "entries": history_of(self._repository)[:NEWS_SHOWN]}
        return render_to_string("parts/repository_news.html", context)
