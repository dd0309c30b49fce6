"""The server's outermost door: it takes in each request whole, within limits, before a thread works on it.

A WSGI server hands a request over before its body has arrived, and reading it then blocks a thread for as long as the
client likes (in granian 2.8 even the interpreter's lock). Here bodies are awaited, which costs a slow client's place
and nobody's thread, and the application behind sees only requests that are complete.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from django.http import HttpResponse

from signing.server.errors import BUSY, MALFORMED_UPLOAD, TOO_LARGE, TOO_SLOW, UNKNOWN, ApiError

MOST_IN_FLIGHT = 256 * 1024 * 1024
MOST_DRAINED = 256 * 1024 * 1024
"""A client that is cut off while it sends never reads why; up to here it may finish."""

WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

log = logging.getLogger(__name__)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Scope(Protocol):
    """What granian tells of a request."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Any


class Gate:
    """Serves a WSGI application by granian's RSGI."""

    def __init__(
        self,
        application: Application,
        may_upload: Callable[[Mapping[str, Any]], bool],
        *,
        threads: int,
        largest: int,
        seconds: float,
    ) -> None:
        self._application = application
        self._may_upload = may_upload
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._largest = largest
        self._seconds = seconds
        self._in_flight = 0

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        """Answer one request."""
        environ = environ_of(scope)
        body = bytearray()
        try:
            # Who may not publish is told so at once, and what they send is not kept.
            if scope.method in WITH_BODY and self._may_upload(environ):
                await self._receive(environ, protocol, body)
            if scope.method in WITH_BODY:
                environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = io.BytesIO(body)
            loop = asyncio.get_running_loop()
            status, headers, content = await loop.run_in_executor(self._threads, self._run, environ)
        except ApiError as error:
            status, headers, content = _plain(error.response())
        finally:
            self._in_flight -= len(body)
        protocol.response_bytes(status, headers, content)

    async def _receive(self, environ: Environ, protocol: Any, body: bytearray) -> None:
        """Fill `body`; each byte in it counts as in flight until the request is answered."""
        announced = environ.get("CONTENT_LENGTH", "")
        expected = int(announced) if announced.isdecimal() else None
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in protocol:
                    size += len(chunk)
                    if size > MOST_DRAINED:
                        break
                    if max(size, expected or 0) <= self._largest:
                        self._keep(body, chunk)
        except TimeoutError:
            raise ApiError(TOO_SLOW, headers={"Connection": "close"}) from None
        if max(size, expected or 0) > self._largest:
            raise ApiError(TOO_LARGE, f"The limit is {self._largest} bytes.", {"Connection": "close"})
        if expected is not None and size != expected:
            raise ApiError(MALFORMED_UPLOAD)

    def _keep(self, body: bytearray, chunk: bytes) -> None:
        if self._in_flight + len(chunk) > MOST_IN_FLIGHT:
            raise ApiError(BUSY, headers={"Retry-After": "5", "Connection": "close"})
        body += chunk
        self._in_flight += len(chunk)

    def _run(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        started: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            started.append((int(status[:3]), headers))

        try:
            answer = self._application(environ, start_response)
            try:
                content = b"".join(answer)
            finally:
                if close := getattr(answer, "close", None):
                    close()
            return (*started[-1], content)
        except Exception:
            log.exception("a request of %s ended in a mistake of ours", environ["PATH_INFO"])
            return _plain(ApiError(UNKNOWN).response())


def environ_of(scope: Scope) -> Environ:
    """Describe a request as WSGI does; its body is added later."""
    server, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # WSGI carries bytes in text of one byte per character.
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue  # it could pass for the same name with a hyphen
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def _plain(response: HttpResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    return response.status_code, list(response.items()), response.content
