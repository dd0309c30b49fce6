"""The registry adapter against a registry played by `httpx.MockTransport`."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from signing.adapters.manifest import MEDIA_TYPES, Manifest, media_type_of, placeholder
from signing.adapters.registry import Registry
from signing.adapters.registry_login import Challenge, RegistryLogin, best_challenge
from signing.errors import (
    BadRegistryAnswer,
    DiskFull,
    RegistryDenied,
    RegistryError,
    RegistryLoginNeeded,
    RegistryRefused,
    RegistryUnreachable,
)
from signing.trust.errors import InvalidName

HOST = "registry.example.com"
DOCKER_V2 = "application/vnd.docker.distribution.manifest.v2+json"
API_HEADER = {"Docker-Distribution-Api-Version": "registry/2.0"}
Handler = Callable[[httpx.Request], httpx.Response]


def image(name: str, media_type: str = DOCKER_V2) -> Manifest:
    document = {"schemaVersion": 2, "mediaType": media_type, "config": {"digest": name}, "layers": []}
    data = json.dumps(document).encode()
    return Manifest(digest_of(data), media_type, data)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def error(status: int, code: str, message: str = "", **headers: str) -> httpx.Response:
    body = {"errors": [{"code": code, "message": message or code.lower()}]}
    return httpx.Response(status, json=body, headers={**API_HEADER, **headers})


@dataclass
class FakeRegistry:
    """A registry in memory. `deletes` is one of: tag (OCI), digest (2.8), off, denied."""

    deletes: str = "digest"
    blobs: set[str] = field(default_factory=set)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def hold(self, manifest: Manifest, *tags: str) -> None:
        self.manifests[manifest.digest] = manifest
        self.tags |= dict.fromkeys(tags, manifest.digest)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        match = re.fullmatch(r"/v2/team/app/(manifests|blobs)/(.+)", request.url.path)
        assert match, request.url
        if match[1] == "blobs":
            return self._blob(request, match[2])
        return getattr(self, f"_{request.method.lower()}")(request, match[2])

    def _blob(self, request: httpx.Request, name: str) -> httpx.Response:
        if request.method == "HEAD":
            return httpx.Response(200 if name in self.blobs else 404)
        if request.method == "POST":
            return httpx.Response(202, headers={"Location": "/v2/team/app/blobs/uploads/1?_state=x%3D"})
        assert request.url.params["_state"] == "x="
        assert digest_of(request.content) == request.url.params["digest"]
        self.blobs.add(request.url.params["digest"])
        return httpx.Response(201)

    def _get(self, request: httpx.Request, reference: str) -> httpx.Response:
        found = self.manifests.get(self.tags.get(reference, reference))
        if found is None:
            return error(404, "MANIFEST_UNKNOWN")
        assert found.media_type in request.headers["accept"]
        headers = {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest}
        return httpx.Response(200, content=found.data, headers=headers)

    def _head(self, request: httpx.Request, reference: str) -> httpx.Response:
        answer = self._get(request, reference)
        return httpx.Response(answer.status_code, headers=answer.headers)

    def _put(self, request: httpx.Request, reference: str) -> httpx.Response:
        data = request.content
        config = json.loads(data)["config"]["digest"]
        if config.startswith("sha256:") and config not in self.blobs:
            return error(400, "MANIFEST_BLOB_UNKNOWN")
        self.hold(Manifest(digest_of(data), request.headers["content-type"], data), reference)
        return httpx.Response(201, headers={"Docker-Content-Digest": digest_of(data)})

    def _delete(self, request: httpx.Request, reference: str) -> httpx.Response:
        if self.deletes == "off":
            return error(405, "UNSUPPORTED")
        if self.deletes == "denied":
            return error(403, "DENIED")
        if reference in self.manifests:
            del self.manifests[reference]
            self.tags = {tag: digest for tag, digest in self.tags.items() if digest != reference}
            return httpx.Response(202)
        if self.deletes == "digest":
            return error(400, "DIGEST_INVALID")
        return httpx.Response(202 if self.tags.pop(reference, None) else 404)


def registry_on(answer: Handler, host: str = HOST, username: str | None = None, password: str = "canary") -> Registry:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return Registry(host, username, password if username else None, http=http)


def always(response: httpx.Response) -> Handler:
    return lambda request: httpx.Response(
        response.status_code, headers=response.headers, content=response.content, request=request
    )


# Reading


def test_a_tag_and_its_digest_give_the_same_manifest() -> None:
    fake, app = FakeRegistry(), image("app")
    fake.hold(app, "1.0")
    registry = registry_on(fake.answer)
    assert registry.manifest("team/app", "1.0") == app
    assert registry.manifest("team/app", app.digest) == app
    assert registry.tag_digest("team/app", "1.0") == app.digest
    assert app.size == len(app.data)


def test_a_missing_tag_is_none() -> None:
    registry = registry_on(FakeRegistry().answer)
    assert registry.manifest("team/app", "1.0") is None
    assert registry.tag_digest("team/app", "1.0") is None


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_every_current_kind_of_manifest_is_read(media_type: str) -> None:
    data = json.dumps(
        {"schemaVersion": 2, ("manifests" if "index" in media_type or "list" in media_type else "layers"): []}
    )
    assert media_type_of(media_type + "; charset=utf-8", data.encode()) == media_type


def answer_with(data: bytes, **headers: str) -> Handler:
    return always(httpx.Response(200, content=data, headers={"content-type": DOCKER_V2, **headers}))


OTHER = "sha256:" + "00" * 32
APP = image("app")
BAD_ANSWERS = {
    "other bytes than the digest asked for": (answer_with(APP.data), OTHER),
    "other bytes than the registry's own digest": (answer_with(APP.data, **{"docker-content-digest": OTHER}), "1.0"),
    "more than 4 MiB": (answer_with(b" " * (4 * 1024 * 1024 + 1)), "1.0"),
    "no JSON": (answer_with(b"<html>"), "1.0"),
    "an image that says it is an index": (answer_with(APP.data, **{"content-type": MEDIA_TYPES[0]}), "1.0"),
    "an image and an index in one": (answer_with(b'{"layers": [], "manifests": []}'), "1.0"),
    "the old schema 1": (
        answer_with(b"{}", **{"content-type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}),
        "1.0",
    ),
    "nested without end": (answer_with(b"[" * 100_000), "1.0"),
    "packed": (
        lambda request: httpx.Response(200, stream=httpx.ByteStream(b"x"), headers={"content-encoding": "gzip"}),
        "1.0",
    ),
    "a web server's 404": (always(httpx.Response(404, html="<h1>Not Found</h1>")), "1.0"),
}


@pytest.mark.parametrize(("answer", "reference"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_an_answer_that_does_not_hold_is_refused(answer: Handler, reference: str) -> None:
    with pytest.raises(BadRegistryAnswer):
        registry_on(answer).manifest("team/app", reference)


def test_a_registry_without_the_digest_header_is_read_to_know_the_digest() -> None:
    assert registry_on(answer_with(APP.data)).tag_digest("team/app", "1.0") == APP.digest


@pytest.mark.parametrize("path", ["", "Team/app", "../x", "team//app", "team/app?x", "team/app\n"])
def test_a_path_the_format_forbids_is_never_asked_for(path: str) -> None:
    fake = FakeRegistry()
    with pytest.raises(InvalidName):
        registry_on(fake.answer).manifest(path, "1.0")
    assert fake.requests == []


@pytest.mark.parametrize("reference", ["", "a/b", "sha256:12", "sha512:" + "0" * 128, "..", "1.0\r\nX: y"])
def test_a_reference_the_format_forbids_is_never_asked_for(reference: str) -> None:
    fake = FakeRegistry()
    with pytest.raises(InvalidName):
        registry_on(fake.answer).manifest("team/app", reference)
    assert fake.requests == []


@pytest.mark.parametrize(
    "host",
    ["", "https://r", "r.example.com/x", "user@r", "r:port", "r.example.com:99999", "r.example.com\n", "a b", "team"],
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(InvalidName):
        Registry(host)


# Writing and deleting


def test_copying_a_manifest_keeps_bytes_type_and_digest() -> None:
    fake = FakeRegistry()
    fake.hold(APP, "trustui-staging")
    registry = registry_on(fake.answer)
    found = registry.manifest("team/app", "trustui-staging")
    assert found
    registry.put_manifest("team/app", "1.0", found)
    assert fake.requests[-1].content == APP.data
    assert fake.requests[-1].headers["content-type"] == DOCKER_V2
    assert registry.tag_digest("team/app", "1.0") == APP.digest


def test_a_registry_that_stores_something_else_is_noticed() -> None:
    other = always(httpx.Response(201, headers={"Docker-Content-Digest": OTHER}))
    with pytest.raises(BadRegistryAnswer, match="stored"):
        registry_on(other).put_manifest("team/app", "1.0", APP)


@pytest.mark.parametrize("deletes", ["tag", "digest"])
def test_deleting_a_tag_keeps_the_image_and_its_other_tags(deletes: str) -> None:
    fake = FakeRegistry(deletes)
    fake.hold(APP, "trustui-staging", "1.0", "latest")
    assert registry_on(fake.answer).delete_tag("team/app", "trustui-staging") is True
    assert fake.tags == {"1.0": APP.digest, "latest": APP.digest}
    assert fake.manifests == {APP.digest: APP}


@pytest.mark.parametrize("deletes", ["off", "denied"])
def test_where_nothing_can_be_deleted_an_empty_placeholder_remains(deletes: str) -> None:
    fake = FakeRegistry(deletes)
    fake.hold(APP, "trustui-staging", "1.0")
    assert registry_on(fake.answer).delete_tag("team/app", "trustui-staging") is False
    assert fake.tags["1.0"] == APP.digest
    left = fake.manifests[fake.tags["trustui-staging"]]
    assert json.loads(left.data)["layers"] == []
    assert left.digest != APP.digest


def test_the_image_itself_is_never_deleted() -> None:
    fake = FakeRegistry("digest")
    fake.hold(APP, "trustui-staging", "1.0")
    registry_on(fake.answer).delete_tag("team/app", "trustui-staging")
    deleted = [request.url.path for request in fake.requests if request.method == "DELETE"]
    assert len(deleted) == 2
    assert not any(APP.digest in path for path in deleted)


@pytest.mark.parametrize("deletes", ["tag", "digest", "off"])
def test_deleting_a_tag_that_is_gone_changes_nothing(deletes: str) -> None:
    fake = FakeRegistry(deletes)
    fake.hold(APP, "1.0")
    registry = registry_on(fake.answer)
    assert registry.delete_tag("team/app", "trustui-staging") is True
    assert {request.method for request in fake.requests} == {"HEAD"}


def test_no_two_placeholders_are_alike() -> None:
    assert placeholder().digest != placeholder().digest


# Logging in


def test_a_basic_login_is_sent_only_when_asked_for() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        if seen[-1] is None:
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        return answer_with(APP.data)(request)

    registry = registry_on(answer, username="alice", password="pass:wörd")
    registry.manifest("team/app", "1.0")
    registry.manifest("team/app", "1.0")
    expected = "Basic " + b64encode("alice:pass:wörd".encode()).decode()
    assert seen == [None, expected, expected]


BEARER = 'Bearer realm="https://auth.example.com/token?x=1",service="registry",scope="repository:else:*"'


def token_registry(tokens: Handler, accepts: str = "Bearer t1") -> tuple[Handler, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host == "auth.example.com":
            return tokens(request)
        if request.headers.get("authorization") == accepts:
            return answer_with(APP.data)(request)
        return error(401, "UNAUTHORIZED", "authentication required", **{"WWW-Authenticate": BEARER})

    return answer, asked


def test_a_token_is_fetched_for_our_own_scope_and_kept() -> None:
    answer, asked = token_registry(always(httpx.Response(200, json={"token": "t1"})))
    registry = registry_on(answer, username="alice")
    assert registry.manifest("team/app", "1.0") == APP
    assert registry.manifest("team/app", "1.0") == APP
    assert [request.url.host for request in asked] == [HOST, "auth.example.com", HOST, HOST]
    assert dict(asked[1].url.params) == {"x": "1", "service": "registry", "scope": "repository:team/app:pull"}
    assert asked[1].headers["authorization"] == RegistryLogin("alice", "canary").basic()


def test_an_expired_token_is_fetched_anew() -> None:
    valid = ["t1"]

    def answer(request: httpx.Request) -> httpx.Response:
        handler, _ = token_registry(always(httpx.Response(200, json={"access_token": valid[0]})), f"Bearer {valid[0]}")
        return handler(request)

    registry = registry_on(answer, username="alice")
    assert registry.manifest("team/app", "1.0") == APP
    valid[0] = "t2"
    assert registry.manifest("team/app", "1.0") == APP


def test_an_anonymous_token_is_asked_for_without_a_login() -> None:
    answer, asked = token_registry(always(httpx.Response(200, json={"token": "t1"})))
    assert registry_on(answer).manifest("team/app", "1.0") == APP
    assert "authorization" not in asked[1].headers


@pytest.mark.parametrize(
    ("username", "token_answer", "kind"),
    [
        ("alice", httpx.Response(401), RegistryLoginNeeded),
        ("alice", httpx.Response(200, json={"token": "too weak"}), BadRegistryAnswer),
        ("alice", httpx.Response(200, json={"token": "tooweak"}), RegistryDenied),
        ("alice", httpx.Response(200, json=["x"]), BadRegistryAnswer),
        ("alice", httpx.Response(200, content=b"{"), BadRegistryAnswer),
        ("alice", httpx.Response(503), RegistryError),
        (None, httpx.Response(401), RegistryLoginNeeded),
        (None, httpx.Response(200, json={"token": "weak"}), RegistryLoginNeeded),
    ],
)
def test_a_login_that_is_not_enough_says_why(
    username: str | None, token_answer: httpx.Response, kind: type[RegistryError]
) -> None:
    answer, _ = token_registry(always(token_answer))
    with pytest.raises(RegistryError) as caught:
        registry_on(answer, username=username).manifest("team/app", "1.0")
    assert type(caught.value) is kind


def test_a_wrong_basic_login_says_so() -> None:
    asked = always(httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="r"'}))
    with pytest.raises(RegistryLoginNeeded, match="does not accept"):
        registry_on(asked, username="alice").manifest("team/app", "1.0")
    with pytest.raises(RegistryLoginNeeded, match="wants a login"):
        registry_on(asked).manifest("team/app", "1.0")


@pytest.mark.parametrize("realm", ["http://auth.example.com/token", "/token", "", "ftp://x/", "http://127.0.0.1/token"])
def test_a_login_never_goes_to_a_token_server_without_https(realm: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})

    with pytest.raises(BadRegistryAnswer):
        registry_on(answer, username="alice").manifest("team/app", "1.0")
    assert [request.url.host for request in asked] == [HOST]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (['Basic realm="r"'], Challenge("basic", "r")),
        (['bearer realm="https://a/t",service="s"'], Challenge("bearer", "https://a/t", "s")),
        (['Basic realm="r"', 'Bearer realm="https://a/t"'], Challenge("bearer", "https://a/t")),
        (['Basic realm="r", Bearer realm="https://a/t", scope="a,b"'], Challenge("bearer", "https://a/t")),
        (["Negotiate"], None),
        ([], None),
    ],
)
def test_challenges(headers: list[str], expected: Challenge | None) -> None:
    assert best_challenge(headers) == expected


def test_a_login_does_not_show_itself() -> None:
    assert "canary" not in repr(RegistryLogin("alice", "canary"))


# The way there


@pytest.mark.parametrize(
    ("host", "path", "url"),
    [
        ("docker.io", "alpine", "https://registry-1.docker.io/v2/library/alpine/manifests/1"),
        ("index.docker.io", "team/app", "https://registry-1.docker.io/v2/team/app/manifests/1"),
        ("r.example.com", "alpine", "https://r.example.com/v2/alpine/manifests/1"),
        ("r.example.com:5000", "a", "https://r.example.com:5000/v2/a/manifests/1"),
        ("127.0.0.1:5000", "a", "http://127.0.0.1:5000/v2/a/manifests/1"),
        ("127.9.9.9", "a", "http://127.9.9.9/v2/a/manifests/1"),
        ("localhost:5000", "a", "http://localhost:5000/v2/a/manifests/1"),
        ("[::1]:5000", "a", "http://[::1]:5000/v2/a/manifests/1"),
        ("localhost.example.com", "a", "https://localhost.example.com/v2/a/manifests/1"),
        ("127.0.0.1.example.com", "a", "https://127.0.0.1.example.com/v2/a/manifests/1"),
        ("10.0.0.1:5000", "a", "https://10.0.0.1:5000/v2/a/manifests/1"),
    ],
)
def test_where_a_registry_is(host: str, path: str, url: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return error(404, "MANIFEST_UNKNOWN")

    registry_on(answer, host).manifest(path, "1")
    assert asked == [url]


def redirecting(target: str) -> tuple[Handler, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host == HOST and "authorization" not in request.headers:
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        if request.url.host == HOST:
            return httpx.Response(307, headers={"Location": target})
        return answer_with(APP.data)(request)

    return answer, asked


def test_a_redirect_is_followed_without_the_login() -> None:
    answer, asked = redirecting("https://cdn.example.com/x")
    assert registry_on(answer, username="alice").manifest("team/app", "1.0") == APP
    assert asked[-1].url.host == "cdn.example.com"
    assert "authorization" not in asked[-1].headers


@pytest.mark.parametrize("target", ["http://cdn.example.com/x", f"http://{HOST}/x", "http://127.0.0.1/x", "ftp://x/y"])
def test_no_redirect_leads_away_from_https(target: str) -> None:
    answer, asked = redirecting(target)
    with pytest.raises(RegistryError):
        registry_on(answer, username="alice").manifest("team/app", "1.0")
    assert {request.url.scheme for request in asked} == {"https"}


def test_redirects_end() -> None:
    answer, asked = redirecting(f"https://{HOST}/again")
    with pytest.raises(BadRegistryAnswer, match="without end"):
        registry_on(answer, username="alice").manifest("team/app", "1.0")
    assert len(asked) < 10


def test_a_write_is_not_redirected() -> None:
    answer, asked = redirecting("https://cdn.example.com/x")
    with pytest.raises(BadRegistryAnswer):
        registry_on(answer, username="alice").put_manifest("team/app", "1.0", APP)
    assert {request.url.host for request in asked} == {HOST}


def test_an_upload_to_another_host_carries_no_login() -> None:
    fake = FakeRegistry("off")
    fake.hold(APP, "s")
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host != HOST:
            seen.append(request.headers.get("authorization"))
            return httpx.Response(201)
        if "authorization" not in request.headers:
            return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        if request.method == "POST":
            fake.blobs.add(digest_of(b"{}"))
            return httpx.Response(202, headers={"Location": "https://uploads.example.com/1"})
        return fake.answer(request)

    assert registry_on(answer, username="alice").delete_tag("team/app", "s") is False
    assert seen == [None]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "Nothing answers"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "does not resolve"),
        (httpx.ConnectError("[Errno -3] Temporary failure in name resolution"), "does not resolve"),
        (httpx.ConnectError("[Errno 101] Network is unreachable"), "Nothing answers"),
        (
            httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
            "not trusted",
        ),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), "plain HTTP"),
        (httpx.ConnectError("[SSL] record layer failure (_ssl.c:1006)"), "plain HTTP"),
        (httpx.ConnectTimeout(""), "in time"),
        (httpx.ReadTimeout("The read operation timed out"), "in time"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "broke"),
        (httpx.ReadError(""), "broke"),
        (httpx.UnsupportedProtocol("odd"), "failed: odd"),
    ],
)
def test_a_registry_out_of_reach_is_explained(failure: Exception, words: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(RegistryUnreachable, match=words) as caught:
        registry_on(answer, username="alice").tag_digest("team/app", "1.0")
    assert caught.value.next_step.endswith(".")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (error(403, "DENIED", "requested access to the resource is denied"), RegistryDenied),
        (error(429, "TOOMANYREQUESTS", "rate limit"), RegistryRefused),
        (error(400, "MANIFEST_INVALID", "manifest invalid"), RegistryRefused),
        (error(500, "UNKNOWN", "write /data/x: no space left on device"), DiskFull),
        (httpx.Response(502, html="<h1>Bad Gateway</h1>"), RegistryError),
        (httpx.Response(400, text="Client sent an HTTP request to an HTTPS server.\n"), RegistryUnreachable),
        (httpx.Response(400, json={"errors": [{"code": 1}]}), RegistryRefused),
        (httpx.Response(400, json={"errors": "no list"}), RegistryRefused),
        (httpx.Response(400, content=b"\xff\xfe\x00"), RegistryRefused),
    ],
)
def test_a_refusal_is_explained(response: httpx.Response, kind: type[RegistryError]) -> None:
    with pytest.raises(RegistryError) as caught:
        registry_on(always(response)).put_manifest("team/app", "1.0", APP)
    assert type(caught.value) is kind
    assert caught.value.next_step.endswith(".")


def test_hostile_text_is_cut_and_cleaned_and_echoes_no_login() -> None:
    echo = "\x1b[2J\u202e canary " + b64encode(b"alice:canary").decode() + " x" * 50_000
    with pytest.raises(RegistryRefused) as caught:
        registry_on(always(error(400, "X", echo)), username="alice").put_manifest("team/app", "1.0", APP)
    shown = f"{caught.value.message} {caught.value.detail}"
    assert len(caught.value.message) < 500
    assert caught.value.message.isprintable()
    assert "canary" not in shown
    assert b64encode(b"alice:canary").decode() not in shown
