"""Parts of pages that are drawn once for as long as what they show stays the same.

They live in the memory of each web process and hold nothing about who looks: what differs from person to person is no
part of a fragment. Their key names the state they show, so nothing ever has to be thrown out of them by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.core.cache import caches
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from trustui.etags import CACHE, release


def fragment(name: str, state: tuple[object, ...], draw: Callable[[], str]) -> SafeString:
    """Give the part as it was drawn for this state and language, drawing it where that is new."""
    seen = repr((release(), name, get_language(), *state)).encode()
    key = hashlib.sha256(seen).hexdigest()
    found = caches[CACHE].get(key)
    if found is None:
        found = str(draw())
        caches[CACHE].set(key, found)
    return SafeString(found)  # a template drew it
