"""One HTTP/1.1 connection: a request out, an answer in, nothing else.

httpx spends more time on an answer of a megabyte than all the verifying that follows, loads for longer than a small
inspect lasts, and knows timeouts for single reads only. What a Notary client needs of HTTP is little.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from signing.trust.notary import deadline

LARGEST_HEAD = 64 * 1024
MOST_INTERIM_ANSWERS = 8
PIECE = 256 * 1024

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*")
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n")


class ConnectionEnded(OSError):
    """The other side closed the connection before its answer was complete."""


class NotHttp(Exception):
    """The other side does not speak HTTP/1.1."""


class Headers(dict[str, str]):
    """The headers of an answer by their lower-case names; asking takes any case."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]  # a header that is not there is empty
        return super().get(name.lower(), default)


class Head(NamedTuple):
    """Status line and headers of an answer."""

    status: int
    headers: Headers
    keeps_open: bool


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
        self._received = bytearray()
        self._socket = self._connected(proxy)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy is not None:
                self._tunnel(proxy)
            if endpoint.scheme == "https":
                self._socket.settimeout(deadline.left())
                self._socket = context.wrap_socket(self._socket, server_hostname=endpoint.host)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def is_over(self) -> bool:
        """Tell whether the other side ended a connection that waits, or says what nobody asked for."""
        waits = select.poll()
        waits.register(self._socket, select.POLLIN)
        return bool(self._received) or bool(waits.poll(0))

    def send(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> None:
        """Send a request; header values may not break lines."""
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("A header may not hold the end of a line.")
        self._send("\r\n".join((*lines, "", "")).encode("latin-1") + content)

    def head(self) -> Head:
        """Read status line and headers, passing over interim answers."""
        for _ in range(MOST_INTERIM_ANSWERS):
            head = _parsed_head(self._until_blank_line())
            if head.status >= 200:
                return head
        raise NotHttp("it only ever announces an answer")

    def body(self, head: Head, limit: int) -> tuple[bytes, bool]:
        """Read the body, and no further than one byte beyond `limit`; tell whether the connection can be kept."""
        if head.status in (204, 304):
            return b"", head.keeps_open
        coding, length = head.headers.get("Transfer-Encoding").lower(), head.headers.get("Content-Length")
        if coding and (coding != "chunked" or length):
            raise NotHttp("its answer has no clear length")
        if coding:
            body = self._chunked(limit)
        elif length:
            if not _LENGTH.fullmatch(length):
                raise NotHttp("its answer has no clear length")
            body = self._exactly(min(int(length), limit + 1))
            return body, head.keeps_open and int(length) <= limit
        else:
            return self._to_the_end(limit), False
        return body, head.keeps_open and len(body) <= limit

    def _connected(self, proxy: Proxy | None) -> socket.socket:
        host, port = (proxy.host, proxy.port) if proxy else (self.endpoint.host, self.endpoint.port)
        refused: OSError = OSError("it has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            tried = socket.socket(family, kind, protocol)
            try:
                tried.settimeout(deadline.left())
                tried.connect(address)
            except OSError as error:
                tried.close()
                refused = error
            else:
                return tried
        raise refused

    def _tunnel(self, proxy: Proxy) -> None:
        host = f"[{self.endpoint.host}]" if ":" in self.endpoint.host else self.endpoint.host
        target = f"{host}:{self.endpoint.port}"
        headers = {"Host": target}
        if proxy.authorization is not None:
            headers["Proxy-Authorization"] = proxy.authorization
        self.send("CONNECT", target, headers, b"")
        head = self.head()
        if head.status != 200 or self._received:
            raise OSError(f"the proxy {proxy.host} answers {head.status}")

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(deadline.left())
            view = view[self._socket.send(view[:PIECE]) :]

    def _receive(self) -> bytes:
        self._socket.settimeout(deadline.left())
        data = self._socket.recv(PIECE)
        if not data:
            raise ConnectionEnded("it closed the connection")
        return data

    def _until_blank_line(self) -> bytes:
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            if len(self._received) > LARGEST_HEAD:
                raise NotHttp("its headers do not end")
            self._received += self._receive()
        head = bytes(self._received[:end])
        del self._received[: end + 4]
        return head

    def _exactly(self, length: int) -> bytes:
        body = bytearray(length)
        have = min(length, len(self._received))
        body[:have] = self._received[:have]
        del self._received[:have]
        rest = memoryview(body)[have:]
        while rest:
            self._socket.settimeout(deadline.left())
            received = self._socket.recv_into(rest)
            if not received:
                raise ConnectionEnded("it closed the connection")
            rest = rest[received:]
        return bytes(body)

    def _to_the_end(self, limit: int) -> bytes:
        while len(self._received) <= limit:
            try:
                self._received += self._receive()
            except ConnectionEnded:
                break
        return bytes(self._received[: limit + 1])

    def _chunked(self, limit: int) -> bytes:
        body = bytearray()
        while len(body) <= limit:
            length = self._chunk_length()
            if length == 0:
                self._skip_trailers()
                break
            body += self._exactly(min(length, limit + 1 - len(body)))
            if len(body) <= limit and self._exactly(2) != b"\r\n":
                raise NotHttp("its answer comes in broken pieces")
        return bytes(body)

    def _chunk_length(self) -> int:
        while b"\r\n" not in self._received:
            if len(self._received) > LARGEST_HEAD:
                raise NotHttp("its answer comes in broken pieces")
            self._received += self._receive()
        line = _CHUNK.match(self._received)
        if line is None:
            raise NotHttp("its answer comes in broken pieces")
        length = int(line[1], 16)
        del self._received[: line.end()]
        return length

    def _skip_trailers(self) -> None:
        while not self._received.startswith(b"\r\n"):
            if b"\r\n\r\n" in self._received:
                self._until_blank_line()
                return
            if len(self._received) > LARGEST_HEAD:
                raise NotHttp("its trailers do not end")
            self._received += self._receive()
        del self._received[:2]


def _parsed_head(data: bytes) -> Head:
    first, *lines = data.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise NotHttp("it does not answer in HTTP/1.1")
    headers = Headers()
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise NotHttp("it sends broken headers")
        name, value = match[1].decode("latin-1").lower(), match[2].decode("latin-1")
        if name in headers and name in ("content-length", "transfer-encoding") and headers[name] != value:
            raise NotHttp("its answer has no clear length")
        headers[name] = f"{headers[name]}, {value}" if name in headers and headers[name] != value else value
    keeps_open = status[1] == b"1" and "close" not in headers.get("Connection").lower()
    return Head(int(status[2]), headers, keeps_open)
