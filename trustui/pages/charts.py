"""Charts drawn on the server, each of which is a table too: the same numbers as bars and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FULL = 100
LEAST = 2  # of a hundred: what is there has to be seen
COLUMN_WIDTH, COLUMN_GAP = 40, 16


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar: its tone, its word and how many."""

    tone: str
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a chart, in order of its parts."""

    name: str
    url: str
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(part.count for part in self.parts)

    @property
    def share(self) -> int:
        """How many of a hundred are the first part; rounded down, so that 100 means all of them."""
        return FULL * self.parts[0].count // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar in its place, in hundredths of the width."""

    part: Part
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A line of a chart with its bar."""

    row: Row
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how many of how many."""

    name: str
    count: int
    of: int

    @property
    def share(self) -> int:
        """How many of a hundred, rounded down."""
        return FULL * self.count // self.of if self.of else 0


@dataclass(frozen=True, slots=True)
class DrawnColumn:
    """A column in its place; heights count from the ground."""

    column: Column
    x: int
    height: int
    whole: int

    @property
    def top(self) -> int:
        """Where the counted part begins, from above."""
        return FULL - self.height

    @property
    def whole_top(self) -> int:
        """Where the whole begins, from above."""
        return FULL - self.whole

    @property
    def middle(self) -> int:
        """Its middle, for the text under it."""
        return self.x + COLUMN_WIDTH // 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns side by side."""

    width: int
    columns: tuple[DrawnColumn, ...]


def rows_of(rows: Sequence[Row]) -> tuple[DrawnRow, ...]:
    """Draw each row as one full bar, cut by what its parts are of it."""
    return tuple(DrawnRow(row, tuple(_pieces(row))) for row in rows)


def columns_of(columns: Sequence[Column]) -> Columns:
    """Draw columns against the largest of them."""
    highest = max((column.of for column in columns), default=0)
    step = COLUMN_WIDTH + COLUMN_GAP
    drawn = tuple(
        DrawnColumn(column, place * step, _height(column.count, highest), _height(column.of, highest))
        for place, column in enumerate(columns)
    )
    return Columns(max(len(columns) * step - COLUMN_GAP, COLUMN_WIDTH), drawn)


def _pieces(row: Row) -> list[Piece]:
    pieces, x = [], 0.0
    for part in row.parts:
        if part.count:
            width = FULL * part.count / row.total
            pieces.append(Piece(part, round(x, 2), round(width, 2)))
            x += width
    return pieces


def _height(count: int, highest: int) -> int:
    return max(LEAST, round(FULL * count / highest)) if count else 0
