"""Readers of our own beside a library's: whatever ours makes of damaged bytes, the library makes the same of them."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from http.client import HTTPException, HTTPResponse
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing.trust.errors import BadResponse
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.http1 import Connection, Endpoint, Head, NotHttp, _TimedSocket
from signing.trust.tuf.keys import common_names
from signing.trust.tuf.plain_certificate import read_plain_certificate
from tests.simulator import GUN, NOON

LIMIT = 4096


class FormsDiffer(AssertionError):
    """Two readers of one form do not find the same."""


def certificate() -> bytes:
    """Give a root certificate as DER."""
    pem = root_certificate(PrivateKey.generate(), GUN, NOON + timedelta(days=1)).public
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def read_certificate(der: bytes) -> None:
    """Read a certificate in the short way, and ask the library where that found one."""
    text = base64.encodebytes(der).replace(b"\n", b"")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    pem = b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])
    found = read_plain_certificate(pem)
    if found is None:
        raise BadResponse("not of the plain form")
    try:
        known = x509.load_pem_x509_certificate(pem)
        names = common_names(known)
    except Exception as error:
        raise FormsDiffer(f"the library refuses it: {error}") from error
    try:
        spki = known.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError as error:  # whether the point is on the curve is asked where a signature is checked
        raise BadResponse("no key") from error
    if ([found.common_name], found.not_before, found.not_after, found.spki) != (
        names,
        known.not_valid_before_utc,
        known.not_valid_after_utc,
        spki,
    ):
        raise FormsDiffer("the library finds another certificate")


ANSWERS = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\n"
    b'Content-Length: 13\r\n\r\n{"signed":{}}',
    "chunks": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5\r\n{"sig\r\n8;x=y\r\nned":{}}\r\n0\r\nX-Trailer: 1\r\n\r\n',
    "error": b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 33\r\n"
    b'X-Request-Id: 7\r\n\r\n{"errors":[{"code":"NOT_FOUND"}]}',
    "continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
}


class _Incoming:
    """Stands for a socket over which these bytes come, and then the end."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def settimeout(self, _seconds: float) -> None:
        pass

    def recv_into(self, buffer: memoryview) -> int:
        return self._data.readinto(buffer)

    def makefile(self, _mode: str) -> io.BytesIO:
        return self._data


def read_answer(data: bytes) -> None:
    """Read an answer as the client does, and as the library does where the client read it itself."""
    try:
        head, body = _as_the_client(data)
    except (NotHttp, OSError, ValueError) as error:
        raise BadResponse(str(error)) from error
    if head.by_library is not None:
        return
    try:
        known = HTTPResponse(_Incoming(data))  # type: ignore[arg-type]  # it asks a socket for `makefile` alone
        known.begin()
        known_body = known.read(LIMIT + 1)
    except HTTPException as error:
        raise FormsDiffer(f"the library refuses it: {error!r}") from error
    told = {name: value for name, value in known.headers.items() if head.headers.get(name) != value}
    if (head.status, body) != (known.status, known_body) or told or len(known.headers) != len(head.headers):
        raise FormsDiffer(f"the library reads another answer: {known.status}, {told}, {known_body!r}")


def _as_the_client(data: bytes) -> tuple[Head, bytes]:
    connection: Any = Connection.__new__(Connection)
    connection.endpoint, connection._timed = Endpoint("http", "127.0.0.1", 80), _TimedSocket(_Incoming(data))  # type: ignore[arg-type]
    head = connection.head()
    body, _ = connection.body(head, LIMIT)
    return head, body
