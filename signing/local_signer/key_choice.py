"""Find the key of the trust folder that somebody means."""

from __future__ import annotations

import re

from signing.trust.errors import InvalidInput, KeyNotHeld
from signing.trust.keystore.base import KeyInfo, KeyStore

SHORTEST_BEGINNING = 6

_ID = re.compile(r"[0-9a-f]{6,64}", re.ASCII)


def choose_key(store: KeyStore, text: str) -> KeyInfo:
    """Give the one key with that id, beginning of an id, or name.

    Raises:
        KeyNotHeld: there is none.
        InvalidInput: there are several.
    """
    infos = store.list()
    named = [info for info in infos if text and info.role == text]
    found = [info for info in infos if info.key_id.startswith(text)] if _ID.fullmatch(text) else []
    matching = list(dict.fromkeys([*found, *named]))
    if not matching:
        raise KeyNotHeld(
            f"There is no key {text[:80]!r} in the trust folder.", next_step="List them with `trustctl key list`."
        )
    if len(matching) > 1:
        ids = ", ".join(info.key_id[:12] for info in matching[:8])
        raise InvalidInput(f"Several keys fit {text[:80]!r}: {ids}.", next_step="Give more of the key's id.")
    return matching[0]


def shown_name(info: KeyInfo) -> str:
    """Name a key for people."""
    return f"{info.role or 'unnamed'} key {info.key_id[:12]}{f' of {info.gun}' if info.gun else ''}"
