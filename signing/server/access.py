"""The token check for what happens before Django sees the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from signing.server import auth
from signing.server.errors import ApiError
from signing.server.names import has_served_prefix, is_served


def may_read(environ: Mapping[str, Any], gun: str) -> bool:
    """Tell whether this request may have metadata of `gun`; on a no the ordinary way answers, with the challenge."""
    if not has_served_prefix(gun):
        return False
    try:
        auth.require(environ.get("HTTP_AUTHORIZATION"), auth.PULL, gun)
    except ApiError:
        return False
    return True


_PUBLISH = re.compile(r"/v2/(?P<gun>[^*]+)/_trust/tuf/", re.ASCII)


def may_upload(environ: Mapping[str, Any]) -> bool:
    """Tell whether the body of this request is worth receiving: a publish by somebody who may publish."""
    found = _PUBLISH.fullmatch(environ["PATH_INFO"])
    if environ["REQUEST_METHOD"] != "POST" or found is None or not is_served(found["gun"]):
        return False
    try:
        auth.require(environ.get("HTTP_AUTHORIZATION"), auth.PUSH, found["gun"])
    except ApiError:
        return False
    return True
