"""The Engine adapter with docker's client faked, and with a real client on a socket that misbehaves."""

from __future__ import annotations

import errno
import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound

from signing.adapters.engine import Engine, EngineInfo, PushedImage
from signing.adapters.engine_errors import broken_off, explain
from signing.errors import (
    DiskFull,
    EngineError,
    NoEngine,
    RegistryDenied,
    RegistryError,
    RegistryLoginNeeded,
    RegistryUnreachable,
    TransferFailed,
    UnknownImage,
)
from signing.trust.errors import InvalidName, TrustError

IMAGE = "registry.example.com/team/app"
DIGEST = "sha256:" + "ab" * 32
LOGIN = {"username": "alice", "password": "canary-password"}
PUSHED = {"progressDetail": {}, "aux": {"Tag": "1.0", "Digest": DIGEST, "Size": 528}}


class FakeApi:
    """docker's low-level client: it plays back events and remembers what it was asked."""

    def __init__(self, *events: Any, images: tuple[str, ...] = ()) -> None:
        self.events = events
        self.images_here = set(images)
        self.asked: list[tuple[Any, ...]] = []

    def close(self) -> None:
        self.asked.append(("close",))

    def version(self) -> dict[str, str]:
        return {"Version": "20.10.24+dfsg1"}

    def images(self) -> list[dict[str, Any]]:
        return [{"RepoTags": ["b:2", "a:1"]}, {"RepoTags": None}, {"RepoTags": ["<none>:<none>"]}]

    def inspect_image(self, name: str) -> dict[str, str]:
        if name not in self.images_here:
            raise ImageNotFound("404", explanation=f"No such image: {name}")
        return {"Id": "sha256:1"}

    def pull(self, repository: str, **options: Any) -> Iterator[Any]:
        return self._play("pull", repository, options)

    def push(self, repository: str, tag: str, **options: Any) -> Iterator[Any]:
        return self._play("push", repository, tag, options)

    def tag(self, source: str, repository: str, tag: str | None) -> bool:
        self.asked.append(("tag", source, repository, tag))
        self.inspect_image(source)
        return True

    def import_image_from_data(self, data: bytes, *, repository: str, tag: str | None) -> str:
        self.asked.append(("import", data, repository, tag))
        return "\r\n".join(json.dumps(event) for event in self.events)

    def _play(self, *asked: Any) -> Iterator[Any]:
        self.asked.append(asked)
        if isinstance(self.events[0], Exception):
            raise self.events[0]
        return self._events()

    def _events(self) -> Iterator[Any]:
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


def engine_with(api: FakeApi) -> Engine:
    return Engine("unix:///engine.sock", connect=lambda address: api)


def failing_push(event: Any, login: dict[str, str] | None = None) -> TrustError:
    with pytest.raises(TrustError) as caught:
        engine_with(FakeApi(event)).push(IMAGE, "1.0", login)
    return caught.value


def test_status_names_the_version_and_the_named_images() -> None:
    assert engine_with(FakeApi()).status() == EngineInfo("20.10.24+dfsg1", ("a:1", "b:2"))


def test_a_local_image_is_told_from_a_missing_one() -> None:
    engine = engine_with(FakeApi(images=("a:1",)))
    assert engine.has_image("a:1")
    assert not engine.has_image("a:2")


def test_push_returns_what_the_registry_stored_and_reports_each_layer() -> None:
    api = FakeApi(
        {"status": f"The push refers to repository [{IMAGE}]"},
        {"status": "Preparing", "progressDetail": {}, "id": "5bef08742407"},
        {"status": "Pushing", "progressDetail": {"current": 512, "total": 2048}, "id": "5bef08742407"},
        {"status": "Pushed", "progressDetail": {}, "id": "5bef08742407"},
        {"status": f"1.0: digest: {DIGEST} size: 528"},
        PUSHED,
    )
    seen: list[tuple[str, str, int, int]] = []
    pushed = engine_with(api).push(IMAGE, "1.0", LOGIN, lambda *step: seen.append(step))
    assert pushed == PushedImage(DIGEST, 528)
    assert ("5bef08742407", "Pushing", 512, 2048) in seen
    assert seen[0] == ("", f"The push refers to repository [{IMAGE}]", 0, 0)
    assert api.asked == [("push", IMAGE, "1.0", {"stream": True, "decode": True, "auth_config": LOGIN})]


def test_a_layer_is_never_more_than_complete_and_a_tag_is_no_layer() -> None:
    api = FakeApi(
        {"status": "Pulling from team/app", "id": "1.0"},
        {"status": "Downloading", "progressDetail": {"current": 2050, "total": 2048}, "id": "5bef08742407"},
        {"status": "Extracting", "progressDetail": {"current": 7}, "id": "5bef08742407"},
        images=(f"{IMAGE}:1.0",),
    )
    seen: list[tuple[str, str, int, int]] = []
    engine_with(api).pull(f"{IMAGE}:1.0", None, lambda *step: seen.append(step))
    assert seen == [
        ("", "Pulling from team/app", 0, 0),
        ("5bef08742407", "Downloading", 2048, 2048),
        ("5bef08742407", "Extracting", 7, 0),
    ]


def test_without_a_login_docker_is_told_so_and_does_not_look_for_one() -> None:
    api = FakeApi(PUSHED)
    engine_with(api).push(IMAGE, "1.0")
    assert api.asked[0][-1]["auth_config"] == {}


@pytest.mark.parametrize(
    "aux",
    [
        None,
        {"manifestPushedInsteadOfIndex": True, "selectedManifest": {"digest": DIGEST}},
        {"Tag": "1.0", "Digest": "sha256:short", "Size": 528},
        {"Tag": "1.0", "Digest": DIGEST, "Size": 0},
        {"Tag": "1.0", "Digest": DIGEST, "Size": "528"},
    ],
)
def test_a_push_that_ends_without_a_usable_digest_failed(aux: Any) -> None:
    assert isinstance(failing_push({"status": "Pushed", "aux": aux}), TransferFailed)


def test_a_pull_that_leaves_no_image_failed() -> None:
    with pytest.raises(TransferFailed, match="broke off"):
        engine_with(FakeApi({"status": "Pulling from team/app", "id": "1.0"})).pull(f"{IMAGE}:1.0")


def test_a_pull_that_leaves_the_image_succeeded() -> None:
    api = FakeApi({"status": "Download complete", "id": "5bef08742407"}, images=(f"{IMAGE}:1.0",))
    engine_with(api).pull(f"{IMAGE}:1.0", LOGIN)
    assert api.asked[0][:2] == ("pull", f"{IMAGE}:1.0")


def test_tagging_gives_docker_repository_and_tag_apart() -> None:
    api = FakeApi(images=("a:1",))
    engine_with(api).tag("a:1", "127.0.0.1:5000/team/app:trustui-staging")
    assert api.asked == [("tag", "a:1", "127.0.0.1:5000/team/app", "trustui-staging")]


def test_tagging_a_missing_image_says_so() -> None:
    with pytest.raises(UnknownImage, match="has no image a:1"):
        engine_with(FakeApi()).tag("a:1", f"{IMAGE}:1.0")


def test_an_engine_can_be_used_again_after_it_was_closed() -> None:
    apis = [FakeApi(), FakeApi()]
    made = iter(apis)
    with Engine("unix:///engine.sock", connect=lambda address: next(made)) as engine:
        engine.status()
    engine.status()
    assert [api.asked for api in apis] == [[("close",)], []]


def test_importing_returns_the_new_image() -> None:
    api = FakeApi({"status": "sha256:1234"})
    assert engine_with(api).import_tar(b"tar", f"{IMAGE}:1.0") == "sha256:1234"
    assert api.asked == [("import", b"tar", IMAGE, "1.0")]


def test_importing_something_that_is_no_tar_fails() -> None:
    with pytest.raises(TransferFailed, match="invalid tar header"):
        engine_with(FakeApi({"error": "archive/tar: invalid tar header"})).import_tar(b"?", f"{IMAGE}:1.0")


@pytest.mark.parametrize(
    "name",
    ["", "host:5000/Upper/case:1", "a b", "../containers/x:1", "app:1?x=1", "app:1\n", "app:" + "a" * 129, "-x:1"],
)
def test_a_name_the_format_forbids_never_reaches_the_engine(name: str) -> None:
    api = FakeApi()
    engine = engine_with(api)
    steps: list[Callable[[], object]] = [
        lambda: engine.pull(name),
        lambda: engine.has_image(name),
        lambda: engine.tag(name, "a:1"),
        lambda: engine.tag("a:1", name),
        lambda: engine.import_tar(b"", name),
    ]
    for step in steps:
        with pytest.raises(InvalidName):
            step()
    assert api.asked == []


def test_what_a_callback_raises_comes_through_and_ends_the_transfer() -> None:
    ended = []

    class Watched(FakeApi):
        def _events(self) -> Iterator[Any]:
            try:
                yield from super()._events()
            finally:
                ended.append(True)

    def cancel(*step: object) -> None:
        raise ValueError("cancelled")

    with pytest.raises(ValueError, match="cancelled"):
        engine_with(Watched({"status": "Pushing", "id": "1"}, PUSHED)).push(IMAGE, "1.0", None, cancel)
    assert ended == [True]


# What dockerd 20.10 to 28 really says, with what it means.
SAID = [
    ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", DiskFull),
    (
        "failed to register layer: Error processing tar file(exit status 1): write /x: no space left on device",
        DiskFull,
    ),
    ("failed to register layer: open /data/x: disk quota exceeded", DiskFull),
    (f"manifest for {IMAGE}:nope not found: manifest unknown: manifest unknown", UnknownImage),
    (f"An image does not exist locally with the tag: {IMAGE}", UnknownImage),
    (f"tag does not exist: {IMAGE}:1.0", UnknownImage),
    ("No such image: app:1", UnknownImage),
    (
        "pull access denied for team/app, repository does not exist or may require 'docker login': denied:"
        " requested access to the resource is denied",
        UnknownImage,
    ),
    ("name unknown: repository name not known to registry", UnknownImage),
    ("no matching manifest for linux/arm64/v8 in the manifest list entries", UnknownImage),
    (f'Head "https://{IMAGE}/manifests/1": no basic auth credentials', RegistryLoginNeeded),
    ("no basic auth credentials", RegistryLoginNeeded),
    ("unauthorized: authentication required", RegistryLoginNeeded),
    (
        'Get "https://registry-1.docker.io/v2/library/a/manifests/1": unauthorized: incorrect username or password',
        RegistryLoginNeeded,
    ),
    ("unexpected status from HEAD request to https://r/v2/a/manifests/1: 401 Unauthorized", RegistryLoginNeeded),
    ("login attempt to http://127.0.0.1:5000/v2/ failed with status: 401 Unauthorized", RegistryLoginNeeded),
    ("denied: requested access to the resource is denied", RegistryDenied),
    ("error parsing HTTP 403 response body: invalid character '<' looking for beginning", RegistryDenied),
    ("unauthorized: insufficient_scope: authorization failed", RegistryLoginNeeded),
    ("pull access denied: insufficient_scope: authorization failed", RegistryDenied),
    (
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating",
        TransferFailed,
    ),
    ('Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client', RegistryUnreachable),
    ('Get "https://r/v2/": x509: certificate signed by unknown authority', RegistryUnreachable),
    ('Get "https://r/v2/": tls: failed to verify certificate: x509: certificate has expired', RegistryUnreachable),
    ('Get "https://r/v2/": net/http: TLS handshake timeout', RegistryUnreachable),
    (
        'Get "https://r.invalid/v2/": dial tcp: lookup r.invalid on 127.0.0.53:53: no such host',
        RegistryUnreachable,
    ),
    ('Get "https://r/v2/": dial tcp: lookup r on 127.0.0.11:53: server misbehaving', RegistryUnreachable),
    (
        'Get "http://127.0.0.1:5999/v2/": dial tcp 127.0.0.1:5999: connect: connection refused',
        RegistryUnreachable,
    ),
    ('Get "https://r/v2/": dial tcp 192.0.2.1:443: i/o timeout', RegistryUnreachable),
    (
        'Get "https://r/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded'
        " while awaiting headers)",
        RegistryUnreachable,
    ),
    ('Get "https://r/v2/": context deadline exceeded', RegistryUnreachable),
    ('Patch "http://r/v2/x": write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe', TransferFailed),
    ('Put "http://r/v2/x": read tcp 127.0.0.1:1: read: connection reset by peer', TransferFailed),
    ('Get "http://r/v2/": EOF', TransferFailed),
    ("received unexpected HTTP status: 500 Internal Server Error", TransferFailed),
    ("manifest invalid: manifest invalid", TransferFailed),
    ("something nobody ever saw", TransferFailed),
]


@pytest.mark.parametrize(("said", "kind"), SAID, ids=[said[:60] for said, _ in SAID])
def test_each_text_of_the_engine_has_its_plain_words(said: str, kind: type[TrustError]) -> None:
    in_the_stream = failing_push({"errorDetail": {"message": said}, "error": said}, LOGIN)
    at_once = failing_push(APIError("500", explanation=said), LOGIN)
    for error in (in_the_stream, at_once):
        assert type(error) is kind
        assert said in error.message
        assert error.next_step.endswith(".")
        assert error.__cause__ is None


def test_a_denial_without_a_login_asks_for_one() -> None:
    said = "denied: requested access to the resource is denied"
    assert type(failing_push({"error": said})) is RegistryLoginNeeded
    assert type(failing_push({"error": said}, LOGIN)) is RegistryDenied


@pytest.mark.parametrize("name", ["unauthorized:1", "denied:1", "eof:1", "lookup/401:403"])
def test_an_image_named_like_an_error_is_not_that_error(name: str) -> None:
    said = f"manifest for {IMAGE}/{name} not found: manifest unknown: manifest unknown"
    assert type(explain(said, f"{IMAGE}/{name}", LOGIN)) is UnknownImage
    assert type(explain(f"cannot use {IMAGE}/{name} today", f"{IMAGE}/{name}", LOGIN)) is TransferFailed


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("alpine:3", "Docker Hub has no image"),
        ("team/app:3", "Docker Hub has no image"),
        ("localhost/app:3", "The registry localhost has"),
        ("127.0.0.1:5000/app:3", "The registry 127.0.0.1:5000 has"),
    ],
)
def test_the_registry_is_named(image: str, registry: str) -> None:
    assert explain("manifest unknown", image).message.startswith(registry)


def test_a_registrys_refusal_counts_for_the_engine_and_for_the_registry() -> None:
    error = failing_push({"error": "no basic auth credentials"})
    assert isinstance(error, EngineError)
    assert isinstance(error, RegistryError)


def test_hostile_text_is_cut_and_cleaned() -> None:
    said = "\x1b[31mred\x00\u202e " + "<script>alert(1)</script>\r\n" * 5000
    error = failing_push({"error": said})
    assert len(error.message) < 500
    assert error.message.isprintable()


def test_hostile_layer_names_are_cut_and_cleaned() -> None:
    seen: list[tuple[str, str, int, int]] = []
    event = {"id": "\x1b]0;x\x07" + "a" * 999, "status": "S\n" * 999, "progressDetail": {"current": "1", "total": None}}
    engine_with(FakeApi(event, PUSHED)).push(IMAGE, "1.0", None, lambda *step: seen.append(step))
    ((layer, status, current, total),) = seen
    assert layer.isprintable()
    assert status.isprintable()
    assert (len(layer), len(status), current, total) == (64, 120, 0, 0)


def test_an_echoed_login_does_not_come_back() -> None:
    echoed = "denied: cannot use Basic YWxpY2U6Y2FuYXJ5LXBhc3N3b3Jk or canary-password"
    error = failing_push({"error": echoed}, LOGIN)
    assert "canary" not in f"{error.message} {error.detail}"
    assert "YWxpY2U6" not in f"{error.message} {error.detail}"


def wrapped(cause: Exception) -> Exception:
    """Wrap a cause as requests and docker do."""
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", cause))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (wrapped(FileNotFoundError(errno.ENOENT, "No such file or directory")), "does not exist"),
        (wrapped(PermissionError(errno.EACCES, "Permission denied")), "may not use"),
        (wrapped(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")), "refused"),
        (requests.ReadTimeout("UnixHTTPConnectionPool: Read timed out. (read timeout=120)"), "in time"),
        (DockerException("Invalid bind address protocol: foo"), "Invalid bind address"),
        (ValueError("Expecting value: line 1 column 1 (char 0)"), "No usable Docker Engine"),
    ],
)
def test_a_missing_engine_is_explained(error: Exception, words: str) -> None:
    def connect(address: str) -> Any:
        raise DockerException(f"Error while fetching server API version: {error}") from error

    with pytest.raises(NoEngine, match=words) as caught:
        Engine("unix:///engine.sock", connect=connect).status()
    assert caught.value.next_step.endswith(".")
    assert "unix:///engine.sock" in caught.value.message


def test_an_engine_that_was_stopped_meanwhile_is_missing_not_broken() -> None:
    gone = wrapped(FileNotFoundError(errno.ENOENT, "No such file or directory"))
    assert type(broken_off(gone, "unix:///engine.sock", IMAGE)) is NoEngine
    assert type(broken_off(ConnectionResetError(104, "reset"), "unix:///engine.sock", IMAGE)) is TransferFailed


def test_an_engine_over_ssh_is_refused_with_the_way_out() -> None:
    with pytest.raises(NoEngine, match="ssh") as caught:
        Engine("ssh://root@host").status()
    assert "DOCKER_HOST" in caught.value.next_step


ABOUT = b'{"ApiVersion": "1.41", "Version": "20.10.1"}'
VERSION = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(ABOUT), ABOUT)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def socket_that_says() -> Iterator[Callable[..., str]]:
    """Serve prepared answers, one per connection, on a unix socket; each connection is closed after it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(Path(folder) / "s"))
        listener.listen()
        threads = []

        def serve(*answers: bytes) -> str:
            def run() -> None:
                left = list(answers)
                while left:
                    connection, _ = listener.accept()
                    with connection:
                        if connection.recv(65536):  # nothing comes where the client only looks
                            connection.sendall(left.pop(0))

            threads.append(threading.Thread(target=run, daemon=True))
            threads[-1].start()
            return f"unix://{folder}/s"

        yield serve
        for thread in threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "the client asked less often than the test thought"


def test_a_connection_that_breaks_inside_an_event_fails_the_push(socket_that_says: Callable[..., str]) -> None:
    event = b'{"status":"Pushing","id":"5bef08742407"}\r\n'
    chunk = b"%x\r\n%s\r\n" % (len(event), event)
    address = socket_that_says(VERSION, CHUNKED + chunk + b'ff\r\n{"status":"Pus')
    seen: list[str] = []
    with Engine(address) as engine, pytest.raises(TransferFailed):
        engine.push(IMAGE, "1.0", LOGIN, lambda layer, *rest: seen.append(layer))
    assert seen == ["5bef08742407"]


def test_something_else_on_the_socket_is_no_engine(socket_that_says: Callable[..., str]) -> None:
    address = socket_that_says(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
    with Engine(address) as engine, pytest.raises(NoEngine, match="No usable Docker Engine"):
        engine.status()


def test_a_proxy_that_forbids_the_call_is_quoted(socket_that_says: Callable[..., str]) -> None:
    address = socket_that_says(VERSION, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nnot for us")
    with Engine(address) as engine, pytest.raises(EngineError, match="not for us"):
        engine.status()
