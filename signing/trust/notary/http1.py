"""One HTTP/1.1 connection of the standard library, under a deadline: a request out, an answer in, nothing else."""

from __future__ import annotations

import http.client
import io
import re
import select
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple

from signing.trust.notary import deadline

PIECE = 256 * 1024

_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)


class ConnectionEnded(OSError):
    """The other side closed the connection before its answer was complete."""


class NotHttp(Exception):
    """The other side does not speak HTTP/1.1."""


class Endpoint(NamedTuple):
    """Where a connection goes: one can be kept for the next request to the same place."""

    scheme: str
    host: str
    port: int


class Proxy(NamedTuple):
    """A proxy that passes connections on, and what it wants to see for that."""

    host: str
    port: int
    authorization: str | None


class Connection:
    """A connection whose every read and write ends at the deadline of `signing.trust.notary.deadline`.

    Raises from every method:
        TimeoutError: the time is over.
        OSError: no connection, or it ended.
        NotHttp: the answer is none.
    """

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext, proxy: Proxy | None = None) -> None:
        self.endpoint = endpoint
        self.was_used = False
        self._http = _library_connection(endpoint, context, proxy)
        try:
            self._http.connect()
        except HTTPException as error:
            raise OSError(f"the proxy does not speak HTTP: {error}") from None
        self._timed = _TimedSocket(self._http.sock)
        self._http.sock = self._timed

    def close(self) -> None:
        """End it."""
        self._timed.end()

    def is_over(self) -> bool:
        """Tell whether the other side ended a connection that waits, or says what nobody asked for."""
        return self._timed.has_more()

    def send(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> None:
        """Send a request.

        Raises:
            ValueError: the target or a header would break a line.
        """
        try:
            self._http.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        except http.client.InvalidURL as error:
            raise ValueError(str(error)) from None
        for name, value in headers.items():
            self._http.putheader(name, value)
        self._http.endheaders(content or None)

    def head(self) -> HTTPResponse:
        """Read status line and headers, passing over `100 Continue`."""
        try:
            answer = self._http.getresponse()
        except http.client.RemoteDisconnected:
            raise ConnectionEnded("it closed the connection") from None
        except HTTPException as error:
            raise NotHttp(f"it does not answer in HTTP/1.1 ({type(error).__name__})") from None
        _require_clear_end(answer)
        return answer

    def body(self, answer: HTTPResponse, limit: int) -> tuple[bytes, bool]:
        """Read the body, and no further than one byte beyond `limit`; tell whether the connection can be kept."""
        try:
            body = answer.read(limit + 1)
        except http.client.IncompleteRead:
            raise ConnectionEnded("it closed the connection") from None
        except HTTPException:
            raise NotHttp("its answer comes in broken pieces") from None
        if answer.length and len(body) <= limit:  # the library calls that a short read and says nothing
            raise ConnectionEnded("it closed the connection")
        return body, answer.isclosed() and not answer.will_close


class _TimedSocket:
    """A socket as `http.client` uses one: each read and write ends at the deadline, one buffer for all answers."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = _Received(connected)
        self._reader = _KeptReader(self._received, PIECE)

    def sendall(self, data: Any) -> None:
        """Send everything."""
        view = memoryview(data)
        while view:
            self._socket.settimeout(deadline.left())
            view = view[self._socket.send(view[:PIECE]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give the one reader of this connection."""
        return self._reader

    def has_more(self) -> bool:
        """Tell whether anything came that was not asked for, the end included."""
        waits = select.poll()
        waits.register(self._socket, select.POLLIN)
        return bool(waits.poll(0)) or self._received.is_left_in(self._reader)

    def close(self) -> None:
        """Stay open: the library closes before it has read the last answer."""

    def end(self) -> None:
        """End the connection."""
        self._socket.close()


class _Received(io.RawIOBase):
    """What comes in over a socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._is_paused = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._is_paused:
            return None
        self._socket.settimeout(deadline.left())
        return self._socket.recv_into(buffer)

    def is_left_in(self, reader: io.BufferedReader) -> bool:
        """Look at the reader's buffer without waiting for more."""
        self._is_paused = True
        try:
            return bool(reader.peek(1))
        finally:
            self._is_paused = False


class _KeptReader(io.BufferedReader):
    """A reader that outlives each answer: the library closes it at an answer's end."""

    def close(self) -> None:
        """Stay open for the next answer."""


def _library_connection(endpoint: Endpoint, context: ssl.SSLContext, proxy: Proxy | None) -> http.client.HTTPConnection:
    host, port = (proxy.host, proxy.port) if proxy else (endpoint.host, endpoint.port)
    connection: http.client.HTTPConnection
    if endpoint.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=deadline.left(), context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=deadline.left())
    connection.auto_open = 0
    if proxy:
        headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        connection.set_tunnel(endpoint.host, endpoint.port, headers)
    return connection


def _require_clear_end(answer: HTTPResponse) -> None:
    """Refuse answers that are none, or whose end two readers could see at two places."""
    lengths, codings = (set(answer.headers.get_all(name) or ()) for name in ("Content-Length", "Transfer-Encoding"))
    is_coded_twice = bool(codings) and (bool(lengths) or {item.lower() for item in codings} != {"chunked"})
    if answer.status < 200 or len(lengths) > 1 or is_coded_twice or not all(map(_LENGTH.fullmatch, lengths)):
        raise NotHttp("its answer has no clear length")
