"""The token check for answers that come from memory, before Django sees the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signing.server import auth
from signing.server.errors import ApiError


def may_read(environ: Mapping[str, Any], gun: str) -> bool:
    """Tell whether this request may have metadata of `gun`; on a no the ordinary way answers with the challenge."""
    try:
        auth.require(environ.get("HTTP_AUTHORIZATION"), auth.PULL, gun)
    except ApiError:
        return False
    return True
