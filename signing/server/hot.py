"""Answer what most requests ask for, the current metadata, from memory and before Django.

Every client asks for the timestamp each time, and after a change for the files it leads to. Whatever is not at hand
here, or is not a plain yes, goes on to Django as if this were not there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from signing.server.current_files import StoredFile, memory
from signing.server.headers import CONSISTENT, CURRENT, headers_of
from signing.server.states import States, StateUnknown

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_PATH = re.compile(
    r"/v2/([A-Za-z0-9._~:@+=,/-]+)/_trust/tuf/"
    r"(root|targets(?:/[-a-z0-9_]+)*|snapshot|timestamp)(?:\.([0-9a-f]{64}))?\.json",
    re.ASCII,
)


class Front:
    """A WSGI application in front of Django's."""

    def __init__(
        self,
        django: Application,
        states: States,
        may_read: Callable[[Mapping[str, Any], str], bool],
        observed: Callable[[str, int, float, int], None],
    ) -> None:
        self._django = django
        self._states = states
        self._may_read = may_read
        self._observed = observed

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, else as Django does."""
        if environ["REQUEST_METHOD"] != "GET":
            return self._django(environ, start_response)
        asked = _PATH.fullmatch(environ["PATH_INFO"])
        if asked is None:
            return self._django(environ, start_response)
        started = time.perf_counter()
        gun, role, sha256 = asked.groups()
        file = self._find(environ, gun, role, sha256)
        if file is None:
            return self._django(environ, start_response)
        start_response("200 OK", headers_of(file, CONSISTENT if sha256 else CURRENT))
        operation = "GetRoleByHash" if sha256 else "GetRole"
        self._observed(operation, 200, time.perf_counter() - started, len(file.data))
        return [file.data]

    def _find(self, environ: Environ, gun: str, role: str, sha256: str | None) -> StoredFile | None:
        remembered = memory.get(gun)
        if remembered is None:
            return None
        file = remembered.files.get(role)
        if file is None or (sha256 is not None and sha256 != file.sha256):
            return None
        if sha256 is None and file.renew_at is not None and file.renew_at <= datetime.now(UTC):
            return None
        if not self._may_read(environ, gun):
            return None
        try:
            is_newest = self._states.of(gun) == remembered.state
        except StateUnknown:
            return None
        return file if is_newest else None
