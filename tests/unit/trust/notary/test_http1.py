"""The short reader of answers' heads against the library: what it reads, the library reads in the same way."""

from __future__ import annotations

import io
from http.client import HTTPResponse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.trust.notary import http1
from signing.trust.notary.http1 import Head, request

STATUS = ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.0 200 OK", "HTTP/1.1 204 No", "HTTP/1.1 100 Continue"]
LENGTHS = ["Content-Length: 5", "Content-Length: 05", "content-length: 6", "Content-Length: 5, 5", "Content-Length: -5"]
CODINGS = [
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: x",
    "Connection: close",
]
ODD = [
    "Content-Length : 5",
    "Content-Length:5",
    "Connection: keep-alive",
    " folded",
    "X: \xff",
    "X: a\rb",
    "X: a\nY: b",
    "",
]
OTHER = ["X-Name: v", "X-Name: w", "Date: Wed, 25 Nov 2026 01:41:16 GMT"]
PIECES = st.sampled_from([f"{line}\r\n".encode("latin-1") for line in STATUS + LENGTHS + CODINGS + ODD + OTHER])
BEGIN = b"HTTP/1.1 200 OK\r\n"
HONEST = BEGIN + b"Cache-Control: public, max-age=300\r\nContent-Length: 496\r\nContent-Type: text/plain\r\n\r\n"


class Received:
    """What the library asks of a socket."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def by_the_short_reader(data: bytes) -> Head | None:
    found = http1._PLAIN_HEAD.match(data)
    return None if found is None else http1._plain_head(found)


def require_agreement(data: bytes) -> bool:
    head = by_the_short_reader(data)
    if head is None:
        return False
    answer = HTTPResponse(Received(data))  # type: ignore[arg-type]  # it asks a socket for `makefile` alone
    answer.begin()
    http1._require_clear_end(answer)
    assert answer.status == head.status
    assert (answer.length, bool(answer.chunked)) == (head.length, head.length is None)
    assert not answer.will_close
    assert {name: head.headers.get(name) for name in answer.headers} == dict(answer.headers.items())
    assert len(head.headers) == len(answer.headers)
    return True


def test_an_honest_head_is_plain() -> None:
    assert require_agreement(HONEST)
    assert require_agreement(HONEST.replace(b"Content-Length: 496", b"Transfer-Encoding: chunked"))


@given(st.lists(PIECES, max_size=6).map(b"".join))
def test_pieces_in_any_order_read_as_the_library_reads_them_or_not_at_all(pieces: bytes) -> None:
    require_agreement(BEGIN + pieces + b"\r\n")
    require_agreement(pieces)


@given(st.integers(0, len(HONEST)), st.integers(0, 3), st.binary(max_size=3))
def test_a_damaged_head_reads_as_the_library_reads_it_or_not_at_all(at: int, length: int, piece: bytes) -> None:
    require_agreement(HONEST[:at] + piece + HONEST[at + length :])


@pytest.mark.parametrize(
    "head",
    [
        BEGIN + b"\r\n",
        BEGIN + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        BEGIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        BEGIN + b"Content-Length: 5\r\nConnection: close\r\n\r\n",
        BEGIN + b"Content-Length: 5\r\nX: a\r\n b\r\n\r\n",
        BEGIN + b"Content-Length: 5\nX: a\r\n\r\n",
        BEGIN + b"Content-Length: 5\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nX: a\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n",
        b"",
    ],
)
def test_any_other_head_is_left_to_the_library(head: bytes) -> None:
    assert by_the_short_reader(head) is None


@pytest.mark.parametrize(
    ("target", "name", "value"),
    [
        ("/a b", "X", "v"),
        ("/a\r\nX: y", "X", "v"),
        ("/\xfc", "X", "v"),
        ("", "X", "v"),
        ("/", "X Y", "v"),
        ("/", "X:", "v"),
        ("/", "X\r\nY", "v"),
        ("/", "X", "a\r\nY: b"),
        ("/", "X", "a\nb"),
        ("/", "X", "a\0b"),
        ("/", "X", "€"),
    ],
)
def test_a_request_never_breaks_its_lines(target: str, name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        request("GET", target, {name: value})


def test_a_request_is_written_in_full() -> None:
    assert request("POST", "/v2/?q=1", {"Host": "h:1"}, b"body") == b"POST /v2/?q=1 HTTP/1.1\r\nHost: h:1\r\n\r\nbody"
