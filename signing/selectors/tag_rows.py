"""The tags of one repository as a list: the signed ones in docker's order, then those the registry shows unsigned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import overload

from django.db.models import Count, Q, QuerySet

from signing.models import Repository, SignedTag, TagVerdict, UnsignedTag

TagRow = SignedTag | UnsignedTag


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Which tags are asked for: a part of the name, and one of the five words; empty members ask for all."""

    search: str = ""
    verdict: str = ""

    def signed(self, repository: Repository) -> QuerySet[SignedTag]:
        """List the signed ones in the order `docker trust inspect` prints them."""
        wanted = Q(tag__icontains=self.search) if self.search else Q()
        wanted &= Q(verdict=self.verdict) if self.verdict else Q()
        return repository.tags.filter(wanted).order_by("sort_key", "digest")

    def unsigned(self, repository: Repository) -> QuerySet[UnsignedTag]:
        """List those that the registry shows and nobody signed."""
        if self.verdict not in ("", TagVerdict.UNSIGNED):
            return repository.unsigned_tags.none()
        return (
            repository.unsigned_tags.filter(tag__icontains=self.search)
            if self.search
            else repository.unsigned_tags.all()
        )


class Tags(Sequence[TagRow]):
    """Both lists as one, to be paged: only what is asked for is read."""

    def __init__(self, repository: Repository, asked: TagFilter) -> None:
        self._signed, self._unsigned = asked.signed(repository), asked.unsigned(repository)
        self._signed_count = self._signed.count()
        self._count = self._signed_count + self._unsigned.count()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, part: int) -> TagRow: ...

    @overload
    def __getitem__(self, part: slice) -> list[TagRow]: ...

    def __getitem__(self, part: int | slice) -> TagRow | list[TagRow]:
        """Read one page; a slice has both ends, as a paginator asks."""
        if isinstance(part, int):
            return self[part : part + 1][0]
        behind = slice(max(part.start - self._signed_count, 0), max(part.stop - self._signed_count, 0))
        return list(chain(self._signed[part], self._unsigned[behind]))


def count_signed(repository: Repository) -> dict[str, int]:
    """Count the signed tags by their word; only words that some tag has."""
    return dict(repository.tags.order_by().values_list("verdict").annotate(number=Count("pk")))


def count_by_verdict(repository: Repository, signed: Mapping[str, int]) -> dict[str, int]:
    """Count all tags of each of the five words, also of those that no tag has; `signed` is what `count_signed` gave."""
    counts = {**dict.fromkeys(TagVerdict.values, 0), **signed}
    counts[TagVerdict.UNSIGNED] += repository.unsigned_tags.count()
    return counts
