"""Which GUNs the server takes. Notary takes almost anything; what could be read in two ways is refused here."""

from __future__ import annotations

import re

from django.conf import settings

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


def is_prefix(text: str) -> bool:
    """Tell whether repositories' names can begin so: with whole segments, and no comma, which parts prefixes."""
    return text.endswith("/") and is_gun(text[:-1]) and "," not in text


def is_served(gun: str) -> bool:
    """Tell whether this server has to do with a repository of that name (notary-server's `gun_prefixes`)."""
    return is_gun(gun) and has_served_prefix(gun)


def has_served_prefix(gun: str) -> bool:
    """Tell whether the settings leave a name that is a GUN to this server; without prefixes all are."""
    wanted = settings.TRUST_SERVER_GUN_PREFIXES
    return not wanted or gun.startswith(tuple(wanted))


def prefixes() -> str:
    """Write the prefixes as notary-server's refusal does."""
    return f"[{' '.join(settings.TRUST_SERVER_GUN_PREFIXES)}]"
