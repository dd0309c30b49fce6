"""Which GUNs the server takes. Notary takes almost anything; what could be read in two ways is refused here."""

from __future__ import annotations

import re

from signing.server.models import LONGEST_NAME

_SEGMENT = re.compile(r"[A-Za-z0-9._~:@+=,-]+", re.ASCII)


def is_gun(text: str) -> bool:
    """Tell whether `text` may name a repository.

    Visible ASCII without quoting characters, at most 255 of them, in segments that no path could mean otherwise. Upper
    case is allowed because `notary` allows it.
    """
    segments = text.split("/")
    return len(text) <= LONGEST_NAME and all(
        _SEGMENT.fullmatch(segment) and segment not in {".", "..", "_trust"} for segment in segments
    )
