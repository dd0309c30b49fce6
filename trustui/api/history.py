"""The history of a repository's trust data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema

from signing.models import HistoryEntry
from signing.selectors.history import HistoryFilter, history_of, names_of, people_of_keys
from signing.selectors.repositories import visible_repositories
from trustui.api.audit import Day
from trustui.api.base import ApiRequest, PageOf, Paging, Text, found, page, words
from trustui.api.repositories import Gun

router = Router()

HistoryKind = Annotated[HistoryEntry.Kind, words(HistoryEntry.Kind)]


class EntryOut(Schema):
    """One thing that happened, at the latest `at`; `not_before` is null where that is the moment itself.

    `is_open` says that it may have been any time before. `people` are those behind `key_ids`, as far as they are known.
    """

    kind: HistoryKind
    at: datetime
    not_before: datetime | None
    is_open: bool
    tag: str
    digest: str
    was: str
    signer: str
    key_ids: list[str]
    people: list[str]
    role: str
    version: int

    @staticmethod
    def resolve_is_open(entry: HistoryEntry) -> bool:
        return bool(entry.detail.get("is_open"))

    @staticmethod
    def resolve_digest(entry: HistoryEntry) -> str:
        return f"sha256:{entry.digest}" if entry.digest else ""

    @staticmethod
    def resolve_was(entry: HistoryEntry) -> str:
        return f"sha256:{entry.was}" if entry.was else ""

    @staticmethod
    def resolve_signer(entry: HistoryEntry) -> str:
        return str(entry.detail.get("signer", ""))

    @staticmethod
    def resolve_key_ids(entry: HistoryEntry) -> list[str]:
        return list(entry.detail.get("key_ids", []))

    @staticmethod
    def resolve_people(entry: HistoryEntry) -> list[str]:
        return list(getattr(entry, "people", []))


class HistoryQuery(Paging):
    """Which entries; `until` is the last day, included."""

    tag: Text = ""
    kind: HistoryKind | None = None
    person: Text = ""
    since: Day | None = None
    until: Day | None = None


@router.get("/repositories/{gun:gun}/-/history", response=PageOf[EntryOut], summary="Tell a repository's history")
def index(request: ApiRequest, response: HttpResponse, gun: Gun, wanted: Query[HistoryQuery]) -> dict[str, Any]:
    """List who signed, replaced and revoked what, and whose keys came and went, the newest first."""
    repository = found(visible_repositories(request.user), gun=gun)
    people = people_of_keys(repository)
    days = [day.isoformat() if day else "" for day in (wanted.since, wanted.until)]
    asked = HistoryFilter(wanted.tag, wanted.kind or "", wanted.person, *days)
    answer = page(request, response, asked.apply(history_of(repository), people), wanted)
    for entry in answer["items"]:
        entry.people = names_of(entry.detail.get("key_ids", []), people)
    return answer
