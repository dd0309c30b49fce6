"""Raw HTTP against the running server: what is too large, too slow or ambiguous is refused and touches nothing."""

from __future__ import annotations

import json
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from tests.parts.standalone_server import StandaloneServer
from tests.unit.server.conftest import BOUNDARY, MULTIPART, body_of

UPLOAD_SECONDS = 3
QUICK = 20
"""Seconds within which a refusal has to be there, on a machine that does other things too."""

MEGABYTE = 1024 * 1024
GUN = "registry.test/team/app"
PUBLISH = f"/v2/{GUN}/_trust/tuf/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    environment = {"TRUST_SERVER_UPLOAD_SECONDS": str(UPLOAD_SECONDS)}
    started = StandaloneServer(tmp_path_factory.mktemp("limits"), workers=1, environment=environment)
    try:
        yield started.start()
    finally:
        started.stop()


@dataclass
class Answer:
    """Status and body of an answer; status 0 where the connection ended without one."""

    status: int
    body: bytes
    seconds: float


class Line:
    """One TLS connection on which a test writes whatever it likes."""

    def __init__(self, server: StandaloneServer) -> None:
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=QUICK)
        self._socket = server.client_context().wrap_socket(plain, server_hostname="127.0.0.1")
        self._started = time.monotonic()

    def send(self, *pieces: bytes) -> Line:
        """Send as long as the server listens; one that answered already may hang up."""
        try:
            for piece in pieces:
                self._socket.sendall(piece)
        except (TimeoutError, ConnectionError, ssl.SSLError):
            pass
        return self

    def answer(self) -> Answer:
        """Read one answer, or notice that the connection ended."""
        data = b""
        try:
            while not _is_whole(data) and (received := self._socket.recv(65536)):
                data += received
        except TimeoutError:
            pytest.fail(f"neither an answer nor an end, only {data[:500]!r}")
        except (ConnectionError, ssl.SSLError):
            pass
        seconds = time.monotonic() - self._started
        head, _, body = data.partition(b"\r\n\r\n")
        return Answer(int(head.split()[1]) if head else 0, body, seconds)

    def close(self) -> None:
        self._socket.close()


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and bool(lengths) and len(body) >= int(lengths[0])


def ask(server: StandaloneServer, *pieces: bytes) -> Answer:
    with closing(Line(server)) as line:
        return line.send(*pieces).answer()


def head(method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def post(length: int | str, *headers: str, path: str = PUBLISH) -> bytes:
    return head("POST", path, f"Content-Type: {MULTIPART}", f"Content-Length: {length}", *headers)


def code_of(answer: Answer) -> str:
    (error,) = json.loads(answer.body)["errors"]
    return str(error["code"])


@pytest.fixture(autouse=True)
def nothing_is_touched(server: StandaloneServer) -> Iterator[None]:
    """Whatever a test sends: no row appears, and the server goes on."""
    yield
    with closing(sqlite3.connect(server.database_file)) as database:
        for table in ("collection", "metadatafile", "onlinekey", "change"):
            (count,) = database.execute(f"SELECT count(*) FROM trust_server_{table}").fetchone()
            assert count == 0, table
    assert ask(server, head("GET", "/v2/")).status == 200


# Too large


def test_a_body_of_200_megabytes(server: StandaloneServer) -> None:
    size = 200 * MEGABYTE
    answer = ask(server, post(size), *([bytes(MEGABYTE)] * 200))
    assert (answer.status, code_of(answer)) == (413, "MALFORMED_UPLOAD")
    assert answer.seconds < QUICK


def test_200_megabytes_in_chunks_nobody_announced(server: StandaloneServer) -> None:
    chunk = b"100000\r\n" + bytes(MEGABYTE) + b"\r\n"
    opening = head("POST", PUBLISH, f"Content-Type: {MULTIPART}", "Transfer-Encoding: chunked")
    answer = ask(server, opening, *([chunk] * 200), b"0\r\n\r\n")
    assert answer.status in (0, 413)
    assert answer.seconds < QUICK


def test_100_000_parts(server: StandaloneServer) -> None:
    body = body_of(*[(f"targets/r{number}", b"{}") for number in range(100_000)])
    answer = ask(server, post(len(body)), body)
    assert (answer.status, code_of(answer)) == (413, "MALFORMED_UPLOAD")
    assert answer.seconds < QUICK


def test_a_megabyte_of_headers(server: StandaloneServer) -> None:
    answer = ask(server, head("GET", "/v2/", *[f"X-{number}: {'a' * 1000}" for number in range(1000)]))
    assert answer.status in (0, 400, 431)


def test_a_thousand_small_headers(server: StandaloneServer) -> None:
    assert ask(server, head("GET", "/v2/", *[f"X-{number}: a" for number in range(1000)])).status in (0, 400, 431)


def test_an_address_of_a_hundred_thousand_characters(server: StandaloneServer) -> None:
    assert ask(server, head("GET", f"/v2/{'a/' * 50_000}_trust/tuf/root.json")).status in (0, 400, 404, 414, 431)


def test_a_part_with_endless_headers(server: StandaloneServer) -> None:
    body = f"--{BOUNDARY}\r\nX: {'a' * MEGABYTE}\r\n\r\n{{}}\r\n--{BOUNDARY}--\r\n".encode()
    assert ask(server, post(len(body)), body).status == 400


# Too slow


def test_a_body_that_does_not_come(server: StandaloneServer) -> None:
    answer = ask(server, post(1000), b"--a-boundary")
    assert (answer.status, code_of(answer)) == (408, "MALFORMED_UPLOAD")
    assert UPLOAD_SECONDS <= answer.seconds < QUICK


def test_headers_that_do_not_end(server: StandaloneServer) -> None:
    answer = ask(server, b"GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    assert answer.status in (0, 408)
    assert answer.seconds < QUICK


def test_readers_do_not_wait_for_a_crowd_of_slow_uploads(server: StandaloneServer) -> None:
    with ExitStack() as crowd:
        slow = [crowd.enter_context(closing(Line(server))).send(post(1000), b"-") for _ in range(60)]
        started = time.monotonic()
        for _ in range(5):
            assert ask(server, head("GET", "/v2/")).status == 200
        assert time.monotonic() - started < UPLOAD_SECONDS
        body = body_of()
        assert code_of(ask(server, post(len(body)), body)) == "INVALID_UPDATE"  # as publishers do not either
        assert {line.answer().status for line in slow} == {408}


def test_tls_that_is_never_spoken(server: StandaloneServer) -> None:
    with ExitStack() as silent:
        for _ in range(50):
            silent.enter_context(closing(socket.create_connection(("127.0.0.1", server.port))))
        assert ask(server, head("GET", "/v2/")).status == 200


# Two readings of one request


SMUGGLED = b"DELETE /v2/registry.test/team/app/_trust/tuf/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        (f"Content-Length: {len(SMUGGLED)}", "Transfer-Encoding: chunked"),
        ("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}"),
        (f"Content-Length: 0,{len(SMUGGLED)}",),
        ("Content-Length: +0",),
        ("Content-Length: -1",),
        ("Content-Length: 0x10",),
        ("Content-Length: 99999999999999999999999",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: identity, chunked, identity",),
        ("Transfer-Encoding:\x0bchunked",),
        ("X: a\r\n Content-Length: 5",),
        ("X: a\x00b",),
        ("X\x00: a",),
        ("X: a\nContent-Length: 5",),
        ("Host: other",),
    ],
    ids=ascii,
)
def test_smuggling(server: StandaloneServer, headers: tuple[str, ...]) -> None:
    """At most one answer, and none that says yes to the request inside the body."""
    opening = head("POST", PUBLISH, f"Content-Type: {MULTIPART}", *headers)
    answer = ask(server, opening, b"0\r\n\r\n", SMUGGLED)
    assert answer.status == 0 or 400 <= answer.status < 500
    assert answer.body.count(b"HTTP/1.1") == 0


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /v2/ HTTP/1.1\r\n\x00",
        "GET  /v2/ HTTP/1.1",
        "GET /v2/ HTTP/9.9",
        "GET\t/v2/\tHTTP/1.1",
        "G\x00ET /v2/ HTTP/1.1",
        "PRI * HTTP/2.0",
        "CONNECT 127.0.0.1:22 HTTP/1.1",
        "TRACE /v2/ HTTP/1.1",
        "\x16\x03\x01\x00\x05",
    ],
    ids=ascii,
)
def test_request_lines_nobody_writes(server: StandaloneServer, request_line: str) -> None:
    answer = ask(server, request_line.encode("latin-1") + b"\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.status == 0 or 400 <= answer.status < 500


# Names


ODD = {
    "traversal": "../../etc/passwd",
    "encoded traversal": "%2e%2e/%2e%2e/etc",
    "encoded slash": "a%2f..%2fb",
    "twice encoded": "%252e%252e/b",
    "backslash": "a%5c..%5cb",
    "NUL": "a%00b",
    "CR and LF": "a%0d%0aX-Injected:%20yes",
    "unicode twin": "%D0%B0pp",  # a Cyrillic a
    "full width": "%EF%BD%81pp",
    "combining accent": "app%CC%81",
    "right to left": "app%E2%80%AE",
    "broken UTF-8": "a%ff%feb",
    "overlong UTF-8": "a%c0%af..%c0%afb",
    "space": "a%20b",
    "quote": "a%22b",
    "semicolon": "a;b",
    "percent alone": "a%zz",
    "reserved segment": "a/_trust/b",
    "dot": "a/./b",
    "empty segment": "a//b",
    "5,000 characters": "a" * 5000,
    "256 characters": "a" * 256,
}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD.keys())
def test_odd_repository_names(server: StandaloneServer, name: str) -> None:
    body = body_of(("root", b"{}"))
    answers = {
        "read": ask(server, head("GET", f"/v2/{name}/_trust/tuf/root.json")),
        "publish": ask(server, post(len(body), path=f"/v2/{name}/_trust/tuf/"), body),
        "make a key": ask(server, head("GET", f"/v2/{name}/_trust/tuf/timestamp.key")),
        "rotate": ask(server, post(0, path=f"/v2/{name}/_trust/tuf/timestamp.key")),
        "delete": ask(server, head("DELETE", f"/v2/{name}/_trust/tuf/")),
    }
    for what, answer in answers.items():
        assert answer.status == 0 or 400 <= answer.status < 500, what
        assert b"X-Injected" not in answer.body
        assert answer.seconds < QUICK


@pytest.mark.parametrize(
    "role",
    [
        "../root",
        "targets/../root",
        "/etc/passwd",
        "targets/a\0b",
        "targets/a\nb",
        "targets/é",
        "targets/аlice",  # noqa: RUF001  a Cyrillic a
        "targets/ALICE",
        "targets/" + "a" * 5000,
        "Root",
        "mirrors",
        "root ",
        "targets//a",
        "targets/",
        ".json",
        "snapshot.json.json",
    ],
    ids=lambda role: ascii(role)[:24],
)
def test_odd_role_names(server: StandaloneServer, role: str) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{role}"\r\n\r\n{{}}\r\n'
    body = part.encode() + f"--{BOUNDARY}--\r\n".encode()
    answer = ask(server, post(len(body)), body)
    assert answer.status == 400
    assert code_of(answer) in {"INVALID_ROLE", "NO_FILENAME", "MALFORMED_UPLOAD"}


@pytest.mark.parametrize("query", ["", "?records=", "?records=1e9", "?records=9" + "9" * 5000, "?records=%00", "?x=1"])
def test_odd_changefeed_questions(server: StandaloneServer, query: str) -> None:
    answer = ask(server, head("GET", f"/v2/_trust/changefeed{query}"))
    assert (answer.status, code_of(answer)) == (400, "INVALID_PARAMETERS")
