"""Make text that came from outside (a registry, an Engine, a proxy) fit to show and to store."""

import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Mapping

LONGEST_SENTENCE = 300
_LOOKED_AT = 4096  # no error worth reading is longer; a hostile one may be


def plain(text: object, limit: int = LONGEST_SENTENCE, *, secrets: Iterable[str] = ()) -> str:
    """Return one line without control or direction-changing characters, cut to `limit` characters.

    `secrets` are blanked out: a registry may echo the login it was sent.
    """
    shown = str(text)[:_LOOKED_AT]
    for secret in secrets:
        shown = shown.replace(secret, "***")
    spaced = "".join(" " if char.isspace() else char for char in shown)
    kept = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def secrets_in(login: Mapping[str, str] | None) -> list[str]:
    """Return every form in which a login's password may come back in an error."""
    password = (login or {}).get("password")
    if not password:
        return []
    pair = f"{(login or {}).get('username', '')}:{password}"
    return [b64encode(pair.encode()).decode(), password]
