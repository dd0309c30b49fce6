"""The history of one repository: who signed, replaced and revoked what, and whose keys came and went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from signing.models import HistoryEntry, Repository
from signing.selectors.history import HistoryFilter, history_of, names_of, people_of_keys
from signing.selectors.repositories import visible_repositories
from trustui.htmx import HtmxRequest
from trustui.pages.base import page_of
from trustui.pages.csv_lines import csv_line

COLUMNS = ("at", "not_before", "kind", "tag", "digest", "was", "signer", "people", "key_ids", "role", "version", "text")
MOST_OF_A_TAG = 50


@dataclass(frozen=True, slots=True)
class Told:
    """One entry with the people behind its keys."""

    entry: HistoryEntry
    people: list[str]

    @property
    def signer(self) -> str:
        """The signer's name, as the trust data has it."""
        return str(self.entry.detail.get("signer", ""))

    @property
    def key_ids(self) -> list[str]:
        """The keys that signed the file it happened in."""
        return list(self.entry.detail.get("key_ids", []))

    @property
    def text(self) -> str:
        """What there is to say beside it: keys before and now, or a reason."""
        before, text = self.entry.detail.get("before", ""), self.entry.detail.get("text", "")
        return f"{before} -> {text}" if before and text and not self.entry.tag else str(text)

    @property
    def is_open(self) -> bool:
        """Tell whether it may have happened any time before."""
        return bool(self.entry.detail.get("is_open"))


@login_required
@require_GET
def index(request: HtmxRequest, gun: str) -> HttpResponse:
    repository, wanted = _repository(request, gun), _wanted(request)
    people = people_of_keys(repository)
    page = page_of(request, wanted.apply(history_of(repository), people))
    context = {
        "repository": repository,
        "page": page,
        "rows": list(told(page.object_list, people)),
        "wanted": wanted,
        "is_filtered": wanted != HistoryFilter(),
        "kinds": HistoryEntry.Kind.choices,
        "query": _query(request),
        "is_whole": repository.history_version == repository.timestamp_version,
    }
    return render(request, "pages/repository_history.html", context)


@login_required
@require_GET
def download(request: HtmxRequest, gun: str, form: str) -> HttpResponse:
    """The rows that are shown, on all pages: as CSV for a spreadsheet, else as JSON."""
    repository = _repository(request, gun)
    people = people_of_keys(repository)
    rows = (row_of(row) for row in told(_wanted(request).apply(history_of(repository), people).iterator(), people))
    if form == "csv":
        lines = [csv_line(COLUMNS), *(csv_line(_flat(row[name]) for name in COLUMNS) for row in rows)]
        return _file(b"".join(lines), "csv", "text/csv; charset=utf-8")
    return _file(orjson.dumps(list(rows), option=orjson.OPT_INDENT_2), "json", "application/json")


def told(entries: Iterable[HistoryEntry], people: dict[str, str]) -> Iterator[Told]:
    """Name the people behind the keys of each entry."""
    for entry in entries:
        yield Told(entry, names_of(entry.detail.get("key_ids", []), people))


def of_tag(repository: Repository, tag: str) -> list[Told]:
    """Tell the history of one tag, the newest first."""
    return list(told(history_of(repository, tag)[:MOST_OF_A_TAG], people_of_keys(repository)))


def row_of(row: Told) -> dict[str, Any]:
    """Give one entry in a program's words; `not_before` is empty where `at` is the moment itself."""
    entry = row.entry
    return {
        "at": entry.at.isoformat(),
        "not_before": _moment(entry.not_before, is_open=row.is_open),
        "kind": entry.kind,
        "tag": entry.tag,
        "digest": f"sha256:{entry.digest}" if entry.digest else "",
        "was": f"sha256:{entry.was}" if entry.was else "",
        "signer": row.signer,
        "people": row.people,
        "key_ids": row.key_ids,
        "role": entry.role,
        "version": entry.version,
        "text": row.text,
    }


def _moment(moment: datetime | None, *, is_open: bool) -> str:
    if moment is None:
        return "unknown" if is_open else ""
    return moment.isoformat()


def _flat(value: object) -> object:
    return " ".join(value) if isinstance(value, list) else value


def _repository(request: HtmxRequest, gun: str) -> Repository:
    return get_object_or_404(visible_repositories(request.user), gun=gun)


def _wanted(request: HtmxRequest) -> HistoryFilter:
    given = request.GET
    kind = given.get("kind", "")
    return HistoryFilter(
        tag=given.get("tag", "").strip(),
        kind=kind if kind in HistoryEntry.Kind.values else "",
        person=given.get("person", "").strip(),
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
    )


def _day(text: str) -> str:
    try:
        return text if parse_date(text) else ""
    except ValueError:
        return ""


def _query(request: HtmxRequest) -> str:
    """Keep the filter, not the page, in the addresses of the files."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


def _file(content: bytes, form: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="history.{form}"'
    return answer
