"""Talk HTTP with one registry: where it is, when to log in, where not to go and how much to read."""

import ipaddress
import ssl
from collections.abc import Mapping
from contextlib import closing

import httpx

from signing.adapters.outside_text import plain
from signing.adapters.registry_answers import Answer, Words
from signing.adapters.registry_login import Challenge, RegistryLogin, best_challenge, token_in
from signing.errors import BadRegistryAnswer, RegistryDenied, RegistryLoginNeeded
from signing.trust.errors import InvalidName
from signing.trust.notary.gun import DOCKER_HUB, Gun

MOST_BYTES = 4 * 1024 * 1024  # what registries themselves accept as a manifest
_MOST_REDIRECTS = 3
_TIMEOUT = httpx.Timeout(30, connect=10)
_HUB_NAMES = {"index.docker.io": DOCKER_HUB}
_HUB_HOST = "registry-1.docker.io"


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
        self.words = Words(self.host, login.secrets() if login else ())
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
            raise self._wrong_login()
        if challenge and challenge.scheme == "bearer":  # the token server knew us; the token is not enough
            raise self.words.refusal(answer, RegistryDenied, "does not allow this login to do that")
        raise self._wrong_login()

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
            raise self._wrong_login()
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
            raise self._wrong_login()
        if answer.status != 200:
            raise self.words.unexpected(answer, "give a token")
        return token_in(answer.body)

    def _wrong_login(self) -> RegistryLoginNeeded:
        what = "does not accept the user name or the password" if self._login else "wants a login"
        return RegistryLoginNeeded(f"The registry {self.host} {what}.", host=self.host)

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
            raise self.words.unreachable(error) from None
        raise BadRegistryAnswer(f"The registry {self.host} redirects without end.", host=self.host)

    def _require_safe(self, url: httpx.URL) -> None:
        if url.scheme == "https" or (url.scheme == "http" and self._local and _is_loopback(url.host)):
            return
        raise BadRegistryAnswer(
            f"The registry {self.host} leads to {self.words.plain(url.copy_with(query=None))}, which is not HTTPS.",
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
