"""One HTTP/1.1 connection under a deadline: requests out, answers in, nothing else.

Answers in the plain form of nearly all are read here; any other is left to the standard library, which takes long to
load and reads a head ten times slower.
"""

from __future__ import annotations

import io
import re
import select
import socket
import ssl
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from signing.trust.notary import deadline

if TYPE_CHECKING:
    from http.client import HTTPResponse

PIECE = 256 * 1024
LONGEST_LINE = 8 * 1024
MOST_CHUNKS = 65_536
MOST_TRAILERS = 32
SLACK = 0.01
"""Seconds by which one read may end late: telling the socket anew each time costs more than most reads."""

_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)
_TARGET = re.compile(r"[!-~]+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9]{2}) [\t -~]*\r\n((?:[A-Za-z0-9-]+: [!-~](?:[\t -~]*[!-~])?\r\n)+)\r\n"
)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_WITHOUT_BODY = {204, 304}


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


class Headers:
    """The headers of an answer; asking takes any case, and of one that came twice the first counts."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in items:
            self._values.setdefault(name.lower(), value)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: str = "") -> str:
        """Give a header's value."""
        return self._values.get(name.lower(), default)


class Head(NamedTuple):
    """Status and headers of an answer; without a `length` it comes in chunks, or as the library reads it."""

    status: int
    headers: Headers
    length: int | None = None
    by_library: HTTPResponse | None = None


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
        self._timed = _TimedSocket(_connected(endpoint, context, proxy))

    def close(self) -> None:
        """End it."""
        self._timed.end()

    def is_over(self) -> bool:
        """Tell whether the other side ended a connection that waits, or says what nobody asked for."""
        return self._timed.has_more()

    def certificate(self) -> Mapping[str, object]:
        """Give the other side's certificate as `ssl` reads it; empty without TLS, or where nobody checked it."""
        return self._timed.certificate()

    def send(self, *requests: bytes) -> None:
        """Send what `request` made, one after the other without waiting for an answer in between."""
        self._timed.sendall(b"".join(requests))

    def head(self) -> Head:
        """Read status line and headers, passing over `100 Continue`.

        Raises:
            ConnectionEnded: the other side closed the connection before it answered.
            NotHttp: this is no answer.
        """
        seen = self._timed.reader.peek(1)
        if not seen:
            raise ConnectionEnded("it closed the connection")
        plain = _PLAIN_HEAD.match(seen)
        head = None if plain is None else _plain_head(plain)
        if plain is None or head is None:
            return self._head_by_library()
        self._timed.reader.read(plain.end())
        return head

    def body(self, head: Head, limit: int) -> tuple[bytes, bool]:
        """Read the body, and no further than one byte beyond `limit`; tell whether the connection can be kept."""
        if head.by_library is not None:
            return _body_by_library(head.by_library, limit)
        if head.length is None:
            return self._chunked(limit)
        wanted = min(head.length, limit + 1)
        return self._exactly(wanted), wanted == head.length

    def _exactly(self, length: int) -> bytes:
        found = self._timed.reader.read(length)
        if len(found) < length:
            raise ConnectionEnded("it closed the connection")
        return found

    def _line(self) -> bytes:
        line = self._timed.reader.readline(LONGEST_LINE)
        if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
            raise ConnectionEnded("it closed the connection")
        return line

    def _chunked(self, limit: int) -> tuple[bytes, bool]:
        pieces: list[bytes] = []
        room = limit + 1
        for _ in range(MOST_CHUNKS):
            announced = _CHUNK.fullmatch(self._line())
            if announced is None:
                break
            length = int(announced[1], 16)
            if length == 0:
                self._skip_trailers()
                return b"".join(pieces), True
            pieces.append(self._exactly(min(length, room)))
            room -= len(pieces[-1])
            if room == 0:
                return b"".join(pieces), False
            if self._exactly(2) != b"\r\n":
                break
        raise NotHttp("its answer comes in broken pieces")

    def _skip_trailers(self) -> None:
        for _ in range(MOST_TRAILERS):
            if self._line() == b"\r\n":
                return
        raise NotHttp("its answer comes in broken pieces")

    def _head_by_library(self) -> Head:
        from http.client import HTTPException, HTTPResponse, RemoteDisconnected

        answer = HTTPResponse(self._timed)  # type: ignore[arg-type]  # it asks a socket for `makefile` alone
        try:
            answer.begin()
        except RemoteDisconnected:
            raise ConnectionEnded("it closed the connection") from None
        except HTTPException as error:
            raise NotHttp(f"it does not answer in HTTP/1.1 ({type(error).__name__})") from None
        _require_clear_end(answer)
        return Head(answer.status, Headers(answer.headers.items()), by_library=answer)


def request(method: str, target: str, headers: Mapping[str, str], content: bytes = b"") -> bytes:
    """Write a request.

    Raises:
        ValueError: the target or a header would break a line.
    """
    for name, value in headers.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise ValueError(f"the header {name[:40]!r} cannot be sent")
    if not _TARGET.fullmatch(target):
        raise ValueError("the address cannot be sent")
    lines = (f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", "")
    return "\r\n".join(lines).encode("latin-1") + content


class _TimedSocket:
    """A socket whose reads and writes end at the deadline, with one reader for all answers."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = _Received(self)
        self._set = 0.0
        self.reader = _KeptReader(self._received, PIECE)

    def in_time(self) -> socket.socket:
        """Give the socket, which waits until the deadline at most.

        Raises:
            TimeoutError: that is over.
        """
        left = deadline.left()
        if not 0 <= self._set - left <= SLACK:
            self._socket.settimeout(left)
            self._set = left
        return self._socket

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        view = memoryview(data)
        while view:
            view = view[self.in_time().send(view[:PIECE]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give the one reader of this connection."""
        return self.reader

    def has_more(self) -> bool:
        """Tell whether anything came that was not asked for, the end included."""
        waits = select.poll()
        waits.register(self._socket, select.POLLIN)
        return bool(waits.poll(0)) or self._received.is_left_in(self.reader)

    def certificate(self) -> Mapping[str, object]:
        """Give the other side's certificate; empty without TLS."""
        return (self._socket.getpeercert() or {}) if isinstance(self._socket, ssl.SSLSocket) else {}

    def end(self) -> None:
        """End the connection."""
        self._socket.close()


class _Received(io.RawIOBase):
    """What comes in over a socket."""

    def __init__(self, timed: _TimedSocket) -> None:
        self._timed = timed
        self._is_paused = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]  # that is what a reader gives
        if self._is_paused:
            return None
        return self._timed.in_time().recv_into(buffer)

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


def _connected(endpoint: Endpoint, context: ssl.SSLContext, proxy: Proxy | None) -> socket.socket:
    if proxy is not None:
        return _connected_through(proxy, endpoint, context)
    # As bytes where that is the same: names beyond ASCII need a codec that takes long to load.
    host = endpoint.host.encode() if endpoint.host.isascii() else endpoint.host
    connected = socket.create_connection((host, endpoint.port), deadline.left())  # type: ignore[arg-type]  # or bytes
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.scheme != "https":
            return connected
        connected.settimeout(deadline.left())
        return context.wrap_socket(connected, server_hostname=host)
    except BaseException:
        connected.close()
        raise


def _connected_through(proxy: Proxy, endpoint: Endpoint, context: ssl.SSLContext) -> socket.socket:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    if endpoint.scheme == "https":
        tunnel: HTTPConnection = HTTPSConnection(proxy.host, proxy.port, timeout=deadline.left(), context=context)
    else:
        tunnel = HTTPConnection(proxy.host, proxy.port, timeout=deadline.left())
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    tunnel.set_tunnel(endpoint.host, endpoint.port, headers)
    try:
        tunnel.connect()
    except HTTPException as error:
        raise OSError(f"the proxy does not speak HTTP: {error}") from None
    connected: socket.socket = tunnel.sock
    return connected


def _plain_head(found: re.Match[bytes]) -> Head | None:
    """Give the head if every header comes once, and a length or chunks alone say where the answer ends."""
    lines = found[2].decode("ascii").split("\r\n")[:-1]
    headers = Headers(line.split(": ", 1) for line in lines)  # type: ignore[misc]  # two each, as the form says
    status, length, coding = int(found[1]), headers.get("Content-Length"), headers.get("Transfer-Encoding")
    if len(headers) < len(lines) or status in _WITHOUT_BODY or headers.get("Connection"):
        return None
    if coding:
        return Head(status, headers) if coding == "chunked" and not length else None
    return Head(status, headers, int(length)) if _LENGTH.fullmatch(length) else None


def _body_by_library(answer: HTTPResponse, limit: int) -> tuple[bytes, bool]:
    from http.client import HTTPException, IncompleteRead

    try:
        body = answer.read(limit + 1)
    except IncompleteRead:
        raise ConnectionEnded("it closed the connection") from None
    except HTTPException:
        raise NotHttp("its answer comes in broken pieces") from None
    if answer.length and len(body) <= limit:  # the library calls that a short read and says nothing
        raise ConnectionEnded("it closed the connection")
    return body, answer.isclosed() and not answer.will_close


def _require_clear_end(answer: HTTPResponse) -> None:
    """Refuse answers that are none, or whose end two readers could see at two places."""
    lengths, codings = (set(answer.headers.get_all(name) or ()) for name in ("Content-Length", "Transfer-Encoding"))
    is_coded_twice = bool(codings) and (bool(lengths) or {item.lower() for item in codings} != {"chunked"})
    if answer.status < 200 or len(lengths) > 1 or is_coded_twice or not all(map(_LENGTH.fullmatch, lengths)):
        raise NotHttp("its answer has no clear length")
