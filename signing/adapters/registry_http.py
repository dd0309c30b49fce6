"""Talk HTTP with one registry: where it is, how to log in, how much to read, and what its answers mean."""

import ipaddress
import json
import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import httpx

from signing.adapters.outside_text import plain
from signing.adapters.registry_login import Challenge, RegistryLogin, best_challenge, token_in
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
from signing.trust.notary.gun import DOCKER_HUB, Gun

MOST_BYTES = 4 * 1024 * 1024  # what registries themselves accept as a manifest
_MOST_REDIRECTS = 3
_TIMEOUT = httpx.Timeout(30, connect=10)
_HUB_NAMES = {"index.docker.io": DOCKER_HUB}
_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end or to `MOST_BYTES`; `whole` tells which."""

    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool


class Connection:
    """Requests to one registry: HTTPS, or plain HTTP where the host is this machine.

    A login is sent only after the registry asked for one, and never over plain HTTP to another machine.
    """

    def __init__(self, host: str, login: RegistryLogin | None, http: httpx.Client | None = None) -> None:
        self.host = _checked_host(host)
        self._local = _is_loopback(httpx.URL(f"http://{self.host}").host)
        where = _HUB_HOST if self.host == DOCKER_HUB else self.host
        self.base = httpx.URL(f"{'http' if self._local else 'https'}://{where}")
        self._login = login
        self._authorization: dict[str, str] = {}  # by scope
        self._owns_http = http is None
        self._http = http or _client(self._local)

    def close(self) -> None:
        """Close the connections, unless the client was lent."""
        if self._owns_http:
            self._http.close()

    def send(
        self,
        method: str,
        address: str | httpx.URL,
        scope: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send one request, logging in for `scope` where the registry wants that.

        Answers other than 401 are given back as they are. Raises: RegistryError.
        """
        url = self.base.join(address)
        answer = self._authorised(method, url, scope, headers, content)
        if answer.status != 401:
            return answer
        challenge = best_challenge(answer.headers.get_list("www-authenticate"))
        self._authorization[scope] = self._log_in(challenge, scope)
        answer = self._authorised(method, url, scope, headers, content)
        if answer.status != 401:
            return answer
        if self._login is None:
            raise RegistryLoginNeeded(f"The registry {self.host} wants a login.", host=self.host)
        if challenge and challenge.scheme == "bearer":  # the token server knew us; the token is not enough
            raise self.refusal(answer, RegistryDenied, "does not allow this login to do that")
        raise self._wrong_login()

    def refusal(self, answer: Answer, kind: type[RegistryError], what: str) -> RegistryError:
        """Return an error that says `what` the registry did and quotes its reason."""
        said = self._plain(_reason(answer))
        quoted = f" (The registry said: {said})" if said else ""
        return kind(f"The registry {self.host} {what}.{quoted}", host=self.host, status=answer.status, said=said)

    def unexpected(self, answer: Answer, doing: str) -> RegistryError:
        """Return the error for a status that does not mean success."""
        reason = _reason(answer)
        if re.search(r"no space left on device|disk quota exceeded", reason, re.IGNORECASE):
            return DiskFull(
                f"The registry {self.host} has no space left on its disk.",
                next_step="Ask the registry's administrator to free some space, then try again.",
            )
        if "HTTP request to an HTTPS server" in reason:
            return self.refusal(answer, RegistryUnreachable, "speaks HTTPS where plain HTTP was expected")
        if answer.status == 403:
            return self.refusal(answer, RegistryDenied, f"does not allow this login to {doing}")
        if answer.status == 429:
            error = self.refusal(answer, RegistryRefused, "asks to slow down")
            error.next_step = "Wait until the registry allows more, then try again."
            return error
        if answer.status >= 500:
            return self.refusal(answer, RegistryError, f"failed when asked to {doing} (status {answer.status})")
        if 300 <= answer.status < 400:
            return self.refusal(answer, BadRegistryAnswer, f"sends elsewhere when asked to {doing}")
        return self.refusal(answer, RegistryRefused, f"refused to {doing} (status {answer.status})")

    def _authorised(
        self, method: str, url: httpx.URL, scope: str, headers: Mapping[str, str] | None, content: bytes | None
    ) -> Answer:
        sent = dict(headers or {})
        if scope in self._authorization and _origin(url) == _origin(self.base):
            sent["Authorization"] = self._authorization[scope]
        return self._exchange(method, url, sent, content)

    def _log_in(self, challenge: Challenge | None, scope: str) -> str:
        """Return the Authorization header that answers `challenge`."""
        if challenge is None:
            raise BadRegistryAnswer(f"The registry {self.host} wants a login of a kind that is not known here.")
        if challenge.scheme == "bearer":
            return f"Bearer {self._token(challenge, scope)}"
        if self._login is None:
            raise RegistryLoginNeeded(f"The registry {self.host} wants a login.", host=self.host)
        return self._login.basic()

    def _token(self, challenge: Challenge, scope: str) -> str:
        try:
            realm = httpx.URL(challenge.realm)
        except (httpx.InvalidURL, ValueError):
            realm = httpx.URL("")
        if not realm.is_absolute_url:
            raise BadRegistryAnswer(f"The registry {self.host} names no usable token server.")
        asked = {"scope": scope} | ({"service": challenge.service} if challenge.service else {})
        headers = {"Authorization": self._login.basic()} if self._login else {}
        answer = self._exchange("GET", realm.copy_merge_params(asked), headers, None)
        if answer.status in (401, 403):
            if self._login is None:
                raise RegistryLoginNeeded(f"The registry {self.host} wants a login.", host=self.host)
            raise self._wrong_login()
        if answer.status != 200:
            raise self.unexpected(answer, "give a token")
        return token_in(answer.body)

    def _wrong_login(self) -> RegistryLoginNeeded:
        return RegistryLoginNeeded(
            f"The registry {self.host} does not accept the user name or the password.", host=self.host
        )

    def _exchange(self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Send one request and follow redirects of reads; httpx drops the login where they change host."""
        try:
            # identity: the digest is that of the bytes sent, and nothing small can unpack into something huge
            request = self._http.build_request(
                method, url, headers={"Accept-Encoding": "identity", **headers}, content=content
            )
            for _ in range(_MOST_REDIRECTS + 1):
                self._require_safe(request.url)
                with closing(self._http.send(request, stream=True, follow_redirects=False)) as response:
                    if response.next_request is None or method not in ("GET", "HEAD"):
                        return self._read(response)
                    request = response.next_request
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The chain is cut: the request inside it carries the login.
            raise self._unreachable(error) from None
        raise BadRegistryAnswer(f"The registry {self.host} redirects without end.", host=self.host)

    def _require_safe(self, url: httpx.URL) -> None:
        if url.scheme == "https" or (url.scheme == "http" and self._local and _is_loopback(url.host)):
            return
        raise BadRegistryAnswer(
            f"The registry {self.host} leads to {self._plain(url.copy_with(query=None))}, which is not HTTPS.",
            next_step="Ask its administrator to correct the public address in the registry's settings.",
            host=self.host,
        )

    def _read(self, response: httpx.Response) -> Answer:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise BadRegistryAnswer(f"The registry {self.host} sends packed answers, which were not asked for.")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                return Answer(response.status_code, response.headers, bytes(body[:MOST_BYTES]), whole=False)
        return Answer(response.status_code, response.headers, bytes(body), whole=True)

    def _unreachable(self, error: Exception) -> RegistryUnreachable:
        said = self._plain(error)
        for pattern, sentence, next_step in _WAYS_TO_FAIL:
            if re.search(pattern, said, re.IGNORECASE) or re.search(pattern, type(error).__name__):
                return RegistryUnreachable(sentence.format(self.host), next_step=next_step, host=self.host)
        return RegistryUnreachable(
            f"The connection to the registry {self.host} failed: {said}", host=self.host, said=said
        )

    def _plain(self, text: object) -> str:
        return plain(text, secrets=self._login.secrets() if self._login else ())


_WAYS_TO_FAIL = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "The certificate of the registry {} is not trusted here.",
        "Put the registry's CA certificate into this machine's certificate store, then try again.",
    ),
    (
        r"WRONG_VERSION_NUMBER|record layer failure|packet length",
        "The registry {} speaks plain HTTP where HTTPS is needed.",
        "Give the registry a certificate; plain HTTP is used only on this machine itself (127.0.0.1).",
    ),
    (
        r"name or service not known|name resolution|no address associated|nodename nor servname",
        "There is no registry {}: the name does not resolve.",
        "Check the registry's name and this machine's name service, then try again.",
    ),
    (r"connection refused|unreachable|no route", "Nothing answers at the registry {}.", None),
    (r"timed? ?out|Timeout", "The registry {} did not answer in time.", None),
    (r"disconnected|RemoteProtocolError|ReadError|reset", "The registry {} broke the connection off.", None),
)


def _client(local: bool) -> httpx.Client:
    # A proxy from the environment is for other machines, and httpx trusts certifi alone unless told otherwise.
    return httpx.Client(verify=ssl.create_default_context(), timeout=_TIMEOUT, trust_env=not local)


def _checked_host(host: str) -> str:
    """Return the host as docker would read it at the beginning of an image's name."""
    try:
        found = Gun.parse(f"{host}/name").host
        has_good_port = (httpx.URL(f"https://{host}").port or 443) <= 65535
    except (InvalidName, httpx.InvalidURL):
        found, has_good_port = "", False
    if "/" in host or not has_good_port or found not in (host, _HUB_NAMES.get(host)):
        raise InvalidName(
            f"{plain(host, 200)!r} is not the address of a registry.",
            next_step="Write it as HOST or HOST:PORT, without https://.",
        )
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _reason(answer: Answer) -> str:
    """Return what the registry said, from its list of errors or else as it came."""
    try:
        errors = json.loads(answer.body)["errors"]
        return "; ".join(f"{each['message']} {each.get('detail') or ''}".strip() for each in errors)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return answer.body[:4096].decode("utf-8", "replace")
