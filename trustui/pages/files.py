"""Lists as files: exactly the rows that are shown, on all pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import orjson
from django.http import HttpResponse
from django.utils import timezone

from trustui.pages.csv_lines import csv_line


def file_of_rows(
    name: str, form: Literal["csv", "json"], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> HttpResponse:
    """Give rows as a file for a spreadsheet or for a program."""
    if form == "csv":
        content = b"".join([csv_line(columns), *(csv_line(row[column] for column in columns) for row in rows)])
    else:
        content = orjson.dumps([dict(row) for row in rows], option=orjson.OPT_INDENT_2)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    headers = {"Content-Disposition": f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.{form}"'}
    return HttpResponse(content, content_type=kind, headers=headers)
