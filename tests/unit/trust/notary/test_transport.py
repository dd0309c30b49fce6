"""The wire: limits, errors by name, sign-in, and the exact form of a publish."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from signing.trust.errors import (
    BadResponse,
    InvalidInput,
    InvalidName,
    NotAuthorised,
    PublishRejected,
    ServerUnreachable,
    TooLarge,
    TrustError,
    VersionConflict,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import http_answers
from signing.trust.notary.tokens import Challenge, Credentials, require_protected
from signing.trust.notary.transport import HttpsTransport, multipart
from tests.unit.trust.samples import DATA

pytestmark = pytest.mark.loopback

GUN = "reg.example:5000/team/app"
BASE = f"/v2/{GUN}/_trust/tuf/"
NOT_FOUND = b'{"errors":[{"code":"METADATA_NOT_FOUND","message":"no","detail":{}}]}\n'


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """A server that answers as a test says: status, headers, and the body in pieces."""

    answer: Callable[[Request], tuple[int, dict[str, str], bytes | Iterator[bytes]]]
    requests: list[Request] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted(lambda _: (200, {}, b"{}"))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            scripted.requests.append(request)
            status, headers, said = scripted.answer(request)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if isinstance(said, bytes):
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                said = iter([said])
            else:
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
            try:
                for piece in said:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:  # the client has seen enough
                self.close_connection = True

        do_GET = do_POST = do_DELETE = handle_any

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    scripted.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@pytest.fixture
def transport(server: Scripted) -> Iterator[HttpsTransport]:
    with HttpsTransport(server.url, username="ann", password="secret") as transport:
        yield transport


def errors(code: str, message: str = "m", detail: Any = None) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]}).encode()


# Reading


def test_a_file_is_asked_for_as_docker_does(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (200, {}, b'{"signed":{}}')
    assert transport.get(GUN, "targets/alice.json", 100) == b'{"signed":{}}'
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", BASE + "targets/alice.json")
    assert request.headers["accept-encoding"] == "identity"
    assert "authorization" not in request.headers


def test_connections_are_kept(server: Scripted, transport: HttpsTransport) -> None:
    transport.get(GUN, "root.json", 100)
    transport.get(GUN, "root.json", 100)
    assert len(server.requests) == 2
    assert all(request.headers["connection"] == "keep-alive" for request in server.requests)


def test_not_found_is_none(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (404, {}, NOT_FOUND)
    assert transport.get(GUN, "root.json", 100) is None


@pytest.mark.parametrize(
    "name",
    ["../root.json", "root", "root.json?x", "targets/../x.json", "targets//x.json", "other.json", "0.root.json", ""],
)
def test_other_names_are_never_sent(name: str, server: Scripted, transport: HttpsTransport) -> None:
    with pytest.raises(InvalidInput):
        transport.get(GUN, name, 100)
    assert server.requests == []


def test_an_unsafe_gun_is_never_sent(server: Scripted, transport: HttpsTransport) -> None:
    with pytest.raises(InvalidName):
        transport.get("a/../../b", "root.json", 100)
    assert server.requests == []


def endless() -> Iterator[bytes]:
    yield b"{"
    while True:
        yield b" " * 10_000


ANSWERS: dict[str, tuple[int, dict[str, str], bytes | Callable[[], Iterator[bytes]], type[TrustError]]] = {
    "a page": (200, {"Content-Type": "text/html"}, b"<html>hello</html>", BadResponse),
    "an empty page": (200, {}, b"", BadResponse),
    "a foreign not found": (404, {}, b"404 page not found", BadResponse),
    "a redirect": (302, {"Location": "https://evil.example/root.json"}, b"", BadResponse),
    "a permanent redirect": (308, {"Location": "/elsewhere"}, b"", BadResponse),
    "too long by its own word": (200, {"Content-Length": "1000000"}, b"{", TooLarge),
    "too long": (200, {}, b"{" + b" " * 100, TooLarge),
    "endless": (200, {}, endless, TooLarge),
    "compressed": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b", BadResponse),
    "no content": (204, {}, b"", BadResponse),
    "broken": (500, {}, errors("UNKNOWN"), ServerUnreachable),
    "broken and chatty": (502, {}, endless, ServerUnreachable),
    "busy": (503, {}, b"later", ServerUnreachable),
    "too many requests": (429, {}, b"", ServerUnreachable),
    "forbidden": (403, {}, errors("DENIED"), NotAuthorised),
    "sign in, but how": (401, {}, errors("UNAUTHORIZED"), NotAuthorised),
    "sign in by magic": (401, {"WWW-Authenticate": "Negotiate"}, b"", NotAuthorised),
    "cut short": (200, {"Content-Length": "50", "Connection": "close"}, b"{", ServerUnreachable),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_wrong_answer_has_a_name(answer: str, server: Scripted, transport: HttpsTransport) -> None:
    status, headers, body, refusal = ANSWERS[answer]
    server.answer = lambda _: (status, headers, body if isinstance(body, bytes) else body())
    with pytest.raises(refusal) as caught:
        transport.get(GUN, "root.json", 64)
    assert type(caught.value) is refusal
    assert "evil.example" not in [urlsplit(request.path).hostname for request in server.requests]


def trickle() -> Iterator[bytes]:
    yield b"{"
    for _ in range(200):
        time.sleep(0.02)
        yield b" "


def test_a_body_that_trickles_is_given_up(server: Scripted) -> None:
    """Each byte comes in time, the whole never would."""
    server.answer = lambda _: (200, {}, trickle())
    begun = time.monotonic()
    with HttpsTransport(server.url, timeout=0.2) as transport, pytest.raises(ServerUnreachable, match=r"0\.2 seconds"):
        transport.get(GUN, "root.json", 10_000)
    assert time.monotonic() - begun < 2


@contextmanager
def raw_server(*talks: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection after the other, each as its talk does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for talk in talks:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join(5)
        listener.close()


def test_a_head_that_trickles_is_given_up() -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    begun = time.monotonic()
    with (
        raw_server(talk) as url,
        HttpsTransport(url, timeout=0.2) as transport,
        pytest.raises(ServerUnreachable, match=r"0\.2 seconds"),
    ):
        transport.get(GUN, "root.json", 10_000)
    assert time.monotonic() - begun < 2


def test_a_connection_closed_since_does_not_make_a_server_unreachable() -> None:
    def once(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def once_and_no_more(connection: socket.socket) -> None:
        once(connection)
        connection.recv(10_000)  # the next request gets no answer

    with raw_server(once_and_no_more, once) as url, HttpsTransport(url) as transport:
        assert transport.get(GUN, "root.json", 10) == b"{}"
        assert transport.get(GUN, "root.json", 10) == b"{}"


TWO = [("root.json", 100), ("timestamp.json", 100)]


def together(transport: HttpsTransport, wanted: Sequence[tuple[str, int]]) -> dict[str, bytes]:
    """Ask for files together and give those that came."""
    files = transport.get_together(GUN, wanted)
    came = [] if files is None else list(iter(files.next, None))
    return {name: data for name, data in came if data is not None}


def test_files_asked_for_together_come_over_one_connection(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda request: (200, {}, f'{{"{request.path.removeprefix(BASE)}":1}}'.encode())
    assert together(transport, TWO) == {
        "root.json": b'{"root.json":1}',
        "timestamp.json": b'{"timestamp.json":1}',
    }
    assert [request.path for request in server.requests] == [BASE + name for name, _ in TWO]


def test_what_is_asked_for_together_and_not_there_is_passed_over(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda request: (404, {}, NOT_FOUND) if "root" in request.path else (200, {}, b"{}")
    assert together(transport, TWO) == {"timestamp.json": b"{}"}
    assert len(transport._client._kept) == 1


@pytest.mark.parametrize(("status", "body"), [(401, b"{}"), (500, b"{}"), (200, b"<html>"), (200, b"{" + b" " * 100)])
def test_what_is_wrong_with_files_asked_for_together_is_left_to_tell(
    status: int, body: bytes, server: Scripted, transport: HttpsTransport
) -> None:
    server.answer = lambda _: (status, {}, body)
    assert together(transport, TWO) == {}


def test_other_names_are_never_sent_together(server: Scripted, transport: HttpsTransport) -> None:
    assert together(transport, [*TWO, ("../root.json", 100)]) == {}
    assert server.requests == []


def test_a_server_that_loses_requests_is_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some proxies read one request and drop what came with it."""
    monkeypatch.setattr(http_answers, "PATIENCE", 0.05)
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def forgetful(connection: socket.socket) -> None:
        while connection.recv(10_000):
            connection.sendall(said)

    with raw_server(forgetful, forgetful) as url, HttpsTransport(url) as transport:
        assert together(transport, TWO) == {"root.json": b"{}"}
        assert together(transport, TWO) == {}
        assert transport.get(GUN, "timestamp.json", 10) == b"{}"


def test_a_server_that_closes_after_each_answer_is_asked_again() -> None:
    def once(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with raw_server(once, once) as url, HttpsTransport(url) as transport:
        assert together(transport, TWO) == {"root.json": b"{}"}
        assert transport.get(GUN, "timestamp.json", 10) == b"{}"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"2\r\n{}\r\n0\r\n\r\n",
        b"1\r\n{\r\n1 ; name=value\r\n}\r\n0\r\nTrailer: x\r\n\r\n",
        b"02\r\n{}\r\n000\r\n\r\n",
    ],
)
def test_an_answer_in_chunks_is_read_to_its_end(body: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        for _ in range(2):
            connection.recv(10_000)
            connection.sendall(CHUNKED + body)

    with raw_server(talk) as url, HttpsTransport(url) as transport:
        assert transport.get(GUN, "root.json", 10) == b"{}"
        assert transport.get(GUN, "root.json", 10) == b"{}"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"2\r\n{}\r\n0\r\n", ServerUnreachable),
        (b"2\r\n{", ServerUnreachable),
        (b"", ServerUnreachable),
        (b"2\n{}\r\n0\r\n\r\n", BadResponse),
        (b"-2\r\n{}\r\n0\r\n\r\n", BadResponse),
        (b"0x2\r\n{}\r\n0\r\n\r\n", BadResponse),
        (b"2\r\n{}}\r\n0\r\n\r\n", BadResponse),
        (b"2\r\n{}\r\n0\r\n" + b"Trailer: x\r\n" * 40 + b"\r\n", BadResponse),
        (b"9" * 9000, BadResponse),
        (b"1\r\n \r\n" * 70_000, BadResponse),
        (b"ffffffff\r\n" + b"{" * 90_000, TooLarge),
    ],
)
def test_broken_chunks_are_refused(body: bytes, refusal: type[TrustError]) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(CHUNKED + body)

    with raw_server(talk) as url, HttpsTransport(url) as transport, pytest.raises(refusal):
        transport.get(GUN, "root.json", 80_000)


def test_a_publish_is_never_sent_twice() -> None:
    """Whether the first was taken cannot be known; the caller reads the repository to find out."""
    posts = []

    def deaf(connection: socket.socket) -> None:
        posts.append(connection.recv(100_000))

    with raw_server(deaf) as url, HttpsTransport(url) as transport, pytest.raises(ServerUnreachable):
        transport.post(GUN, {"root": b"r"})
    assert len(posts) == 1


def test_nobody_there_is_unreachable() -> None:
    with HttpsTransport("http://127.0.0.1:1") as transport, pytest.raises(ServerUnreachable, match="cannot be reached"):
        transport.get(GUN, "root.json", 10)


@pytest.mark.parametrize("url", ["http://trust.example", "trust.example", "ftp://x", "", "https://", "https://u:p@x"])
def test_an_address_without_protection_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        HttpsTransport(url)


def test_a_broken_authority_is_refused() -> None:
    with pytest.raises(InvalidInput):
        HttpsTransport("https://trust.example", ca_pem="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")


# Keys


def test_a_servers_key_is_read(server: Scripted, transport: HttpsTransport) -> None:
    key = PrivateKey.generate().public
    server.answer = lambda _: (200, {}, json.dumps(key.to_json()).encode())
    assert transport.get_key(GUN, "snapshot") == key
    assert server.requests[0].path == BASE + "snapshot.key"


def test_a_server_makes_a_new_key_when_asked_to(server: Scripted, transport: HttpsTransport) -> None:
    key = PrivateKey.generate().public
    server.answer = lambda _: (200, {}, json.dumps(key.to_json()).encode())
    assert transport.rotate_key(GUN, "timestamp") == key
    assert (server.requests[0].method, server.requests[0].path) == ("POST", BASE + "timestamp.key")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keytype":"ecdsa","keyval":{"public":"AAAA","private":null}}',
        b'{"keytype":"x","keyval":{"public":"","private":null}}',
        b'{"keytype":"ed25519","keyval":{"public":"AAAA","private":"c2VjcmV0"}}',
    ],
)
def test_a_key_that_cannot_be_used_is_refused(body: bytes, server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (200, {}, body)
    with pytest.raises(BadResponse):
        transport.get_key(GUN, "timestamp")


def test_a_server_that_does_not_take_a_name_has_no_key_for_it(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (404, {}, NOT_FOUND)
    with pytest.raises(PublishRejected, match="keeps no keys"):
        transport.get_key(GUN, "snapshot")


def test_a_server_has_no_other_keys(transport: HttpsTransport) -> None:
    with pytest.raises(InvalidInput):
        transport.get_key(GUN, "root")


# Publishing


def test_a_publish_has_dockers_form() -> None:
    """The same bytes that `docker trust sign` sent, given the same boundary."""
    head, _, body = (DATA / "http" / "publish-request.txt").read_bytes().partition(b"\n\n\n")
    boundary = head.partition(b"boundary=")[2].split()[0].decode()
    files = {}
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        disposition, _, data = part.replace(b"\r\n", b"\n").strip(b"\n").partition(b"\n\n")
        files[disposition.partition(b'filename="')[2].partition(b'"')[0].decode()] = data
    assert list(files) == ["targets/releases", "targets/alice"]
    ours = multipart(files, boundary)
    assert ours.replace(b"\r\n", b"\n").strip() == body.replace(b"\r\n", b"\n").strip()
    assert ours.count(b"\r\n") == 11


def test_a_publish_is_one_post(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (200, {}, b"")
    transport.post(GUN, {"root": b"r", "targets/alice": b"a"})
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", BASE)
    assert b'name="files"; filename="targets/alice"' in request.body
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")


def test_delete_is_one_delete(server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (200, {}, b"")
    transport.delete(GUN)
    assert (server.requests[0].method, server.requests[0].path) == ("DELETE", BASE)


REASON = {"Name": "ErrBadTargets", "Error": {"Msg": "valid signatures did not meet threshold for targets/alice"}}
REFUSALS: dict[str, tuple[int, bytes, type[TrustError], str]] = {
    "an older version": (400, errors("VERSION"), VersionConflict, "published in between"),
    "two at once on PostgreSQL": (500, errors("UPDATING"), VersionConflict, "published in between"),
    "a bad update": (400, errors("INVALID_UPDATE", "Update is invalid.", REASON), PublishRejected, "did not meet"),
    "a foreign name": (
        400,
        errors("INVALID_GUN", "Not here.", "Require GUNs with prefix: [a/]"),
        PublishRejected,
        "a/",
    ),
    "too large for a proxy": (413, b"<html>", PublishRejected, "refused"),
    "not a trust server": (405, b"no", BadResponse, "405"),
    "broken": (500, errors("UNKNOWN"), ServerUnreachable, "500"),
    "forbidden": (401, errors("UNAUTHORIZED"), NotAuthorised, "does not allow"),
}


@pytest.mark.parametrize(("status", "body", "refusal", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_publish_has_a_name(
    status: int, body: bytes, refusal: type[TrustError], said: str, server: Scripted, transport: HttpsTransport
) -> None:
    server.answer = lambda _: (status, {}, body)
    with pytest.raises(refusal, match=said) as caught:
        transport.post(GUN, {"root": b"r"})
    assert type(caught.value) is refusal


def test_a_servers_words_are_cleaned(server: Scripted, transport: HttpsTransport) -> None:
    hostile = "no\x1b[2K\r\n\u202e" + "x" * 10_000
    server.answer = lambda _: (400, {}, errors("INVALID_UPDATE", hostile))
    with pytest.raises(PublishRejected) as caught:
        transport.post(GUN, {"root": b"r"})
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 1000


# Sign-in


def token_service(server: Scripted, *, allow: bool = True, life: int | None = 300) -> list[dict[str, list[str]]]:
    """Let the server ask for a token for everything but its own token page; gives what that page was asked."""
    asked: list[dict[str, list[str]]] = []

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.path)
        if parts.path == "/token":
            asked.append({**parse_qs(parts.query), "authorization": [request.headers.get("authorization", "")]})
            token = {"token": f"t{len(asked)}", "expires_in": life}
            return (200, {}, json.dumps(token).encode()) if allow else (401, {}, b"no")
        if request.headers.get("authorization") == f"Bearer t{len(asked)}":
            return 200, {}, b"{}"
        challenge = f'Bearer realm="{server.url}/token",service="notary",scope="repository:other/repo:push,pull"'
        return 401, {"WWW-Authenticate": challenge}, errors("UNAUTHORIZED")

    server.answer = answer
    return asked


def test_a_token_is_fetched_with_name_and_password(server: Scripted, transport: HttpsTransport) -> None:
    asked = token_service(server)
    assert transport.get(GUN, "root.json", 10) == b"{}"
    (request,) = asked
    assert request["account"] == ["ann"]
    assert request["service"] == ["notary"]
    assert base64.b64decode(request["authorization"][0].removeprefix("Basic ")) == b"ann:secret"


def test_a_token_is_for_what_this_client_does_only(server: Scripted, transport: HttpsTransport) -> None:
    """The challenge names another repository; a token for that one would be one to abuse."""
    asked = token_service(server)
    transport.get(GUN, "root.json", 10)
    transport.post(GUN, {"root": b"r"})
    transport.delete(GUN)
    assert [request["scope"] for request in asked] == [
        [f"repository:{GUN}:pull"],
        [f"repository:{GUN}:pull,push"],
        [f"repository:{GUN}:*"],
    ]


def test_a_token_serves_until_it_ends(server: Scripted, transport: HttpsTransport) -> None:
    asked = token_service(server)
    for _ in range(3):
        transport.get(GUN, "root.json", 10)
    assert len(asked) == 1
    assert [request.headers.get("authorization") for request in server.requests][-1] == "Bearer t1"


def test_a_big_publish_is_sent_once_when_the_challenge_is_known(server: Scripted, transport: HttpsTransport) -> None:
    token_service(server)
    transport.get(GUN, "root.json", 10)
    transport.post(GUN, {"root": b"r"})
    assert [request.method for request in server.requests].count("POST") == 1


def challenge(server: Scripted) -> dict[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="{server.url}/token",service="notary"'}


def test_a_refused_token_is_replaced_once(server: Scripted, transport: HttpsTransport) -> None:
    asked = token_service(server)
    transport.get(GUN, "root.json", 10)
    asked.append({})  # the first token is no longer right: the next one is
    with_tokens = server.answer
    transport.get(GUN, "root.json", 10)
    assert len(asked) == 3

    refusing = (401, challenge(server), errors("UNAUTHORIZED"))
    server.answer = lambda request: with_tokens(request) if request.path.startswith("/token") else refusing
    with pytest.raises(NotAuthorised):
        transport.get(GUN, "root.json", 10)
    assert len(asked) == 4


def test_a_wrong_password_is_not_authorised(server: Scripted, transport: HttpsTransport) -> None:
    token_service(server, allow=False)
    with pytest.raises(NotAuthorised) as caught:
        transport.get(GUN, "root.json", 10)
    assert "secret" not in caught.value.message


def test_without_a_name_the_token_is_anonymous(server: Scripted) -> None:
    asked = token_service(server)
    with HttpsTransport(server.url) as transport:
        transport.get(GUN, "root.json", 10)
    assert asked[0]["authorization"] == [""]
    assert "account" not in asked[0]


@pytest.mark.parametrize("realm", ["http://auth.example/token", "ftp://x/", "", "//x", "https://u:p@auth.example/"])
def test_a_password_never_goes_to_an_open_address(realm: str, server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda _: (401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}, b"")
    with pytest.raises(BadResponse):
        transport.get(GUN, "root.json", 10)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token":7}', b'{"token":"a b"}', b'{"token":"a\\r\\nX: y"}', b'{"token":""}']
)
def test_an_answer_that_is_no_token_is_refused(body: bytes, server: Scripted, transport: HttpsTransport) -> None:
    server.answer = lambda request: (
        (200, {}, body) if request.path.startswith("/token") else (401, challenge(server), b"")
    )
    with pytest.raises(BadResponse, match="no token"):
        transport.get(GUN, "root.json", 10)


def test_basic_sign_in(server: Scripted, transport: HttpsTransport) -> None:
    expected = "Basic " + base64.b64encode(b"ann:secret").decode()
    server.answer = lambda request: (
        (200, {}, b"{}")
        if request.headers.get("authorization") == expected
        else (401, {"WWW-Authenticate": 'Basic realm="trust"'}, b"")
    )
    assert transport.get(GUN, "root.json", 10) == b"{}"
    assert transport.get(GUN, "root.json", 10) == b"{}"
    assert len(server.requests) == 3
    with HttpsTransport(server.url) as nobody, pytest.raises(NotAuthorised, match="user name"):
        nobody.get(GUN, "root.json", 10)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="https://a/t",service="s",scope="x:y:pull,push"', Challenge("bearer", "https://a/t", "s")),
        ("bearer realm=https://a/t, service=s", Challenge("bearer", "https://a/t", "s")),
        ('Basic realm="x", Bearer realm="https://a/t",service="s"', Challenge("bearer", "https://a/t", "s")),
        ('Basic realm="bearer"', Challenge("basic")),
        ("Negotiate", None),
        ("", None),
    ],
)
def test_challenges(header: str, expected: Challenge | None) -> None:
    assert Challenge.parse(header) == expected


def test_tokens_are_renewed_before_they_end() -> None:
    moment, asked = [0.0], []

    def fetch(url: str, headers: Any, limit: int) -> tuple[int, bytes]:
        asked.append(url)
        return 200, b'{"access_token":"t","expires_in":100}'

    credentials = Credentials("ann", "secret", fetch, clock=lambda: moment[0])
    assert credentials.headers("s") == {}
    assert credentials.answer('Bearer realm="https://a/t?x=1"', "s") == {"Authorization": "Bearer t"}
    moment[0] = 89
    credentials.headers("s")
    assert len(asked) == 1
    moment[0] = 91
    credentials.headers("s")
    assert len(asked) == 2
    assert asked[0].startswith("https://a/t?x=1&account=ann&scope=s")
    assert "secret" not in repr(credentials)


def test_http_is_for_this_machine_only() -> None:
    for url in ("http://127.0.0.1:1/x", "http://localhost/x", "http://[::1]:1/", "https://anywhere/x"):
        require_protected(url)
    for url in ("http://127.0.0.1.evil.example/", "http://localhost.evil.example/", "http://10.0.0.1/"):
        with pytest.raises(BadResponse):
            require_protected(url)
