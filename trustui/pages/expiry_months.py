"""The year ahead as a row of bars: how much ends in each month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import dateformat, timezone

from signing.expiry import Ending
from signing.selectors.expiry import month_of

MONTHS = 12
FULL = 100  # units of the drawing from its foot to its top
LEAST = 6  # so that one of many is still seen


@dataclass(frozen=True, slots=True)
class Bar:
    """One month, and how high its bar stands; `top` is where it begins, counted from above."""

    month: str
    name: str
    year: str
    count: int
    height: int
    is_soon: bool

    @property
    def top(self) -> int:
        """Where the bar begins, counted from above."""
        return FULL - self.height


@dataclass(frozen=True, slots=True)
class Picture:
    """The months ahead, and what lies outside of them."""

    bars: tuple[Bar, ...]
    over: int
    later: int


def picture_of(endings: Sequence[Ending], now: datetime) -> Picture:
    """Count what ends in this month and the eleven that follow, what is over and what comes later."""
    ahead = Counter(month_of(ending) for ending in endings if ending.ends > now)
    months = _months_from(now)
    highest = max((ahead[month] for month in months), default=0)
    bars = tuple(_bar(month, ahead[month], highest, is_soon=place < 2) for place, month in enumerate(months))
    over = sum(ending.ends <= now for ending in endings)
    return Picture(bars, over, len(endings) - over - sum(bar.count for bar in bars))


def _months_from(now: datetime) -> list[str]:
    here = now.astimezone(timezone.get_current_timezone())
    first = here.year * 12 + here.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, first + MONTHS)]


def _bar(month: str, count: int, highest: int, *, is_soon: bool) -> Bar:
    year, number = month.split("-")
    height = max(LEAST, round(FULL * count / highest)) if count else 0
    return Bar(month, dateformat.format(date(int(year), int(number), 1), "M"), year, count, height, is_soon)
