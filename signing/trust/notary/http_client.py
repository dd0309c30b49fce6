"""HTTP with hard limits: how long an answer may take in all, how large it may be, and where it may come from."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from signing.trust.errors import BadResponse, InvalidInput, ServerUnreachable
from signing.trust.notary import deadline
from signing.trust.notary.http1 import Connection, ConnectionEnded, Endpoint, NotHttp, Proxy, request
from signing.trust.notary.http_answers import Answer, Answers, read_answer
from signing.trust.notary.server_errors import plain
from signing.trust.notary.tokens import is_loopback

DEADLINE = deadline.LONGEST
MOST_KEPT = 8
USER_AGENT = "trustui"
PORTS = {"https": 443, "http": 80}


class LimitedClient:
    """A client that keeps connections, follows no redirects, takes no compressed bodies and ends whatever lasts.

    It goes through the proxy of the environment (`https_proxy`, `no_proxy`) unless `through_proxies` is False.
    """

    def __init__(self, context: ssl.SSLContext, *, timeout: float = DEADLINE, through_proxies: bool = True) -> None:
        self._context = context
        self._timeout = timeout
        self._through_proxies = through_proxies
        self._kept: list[Connection] = []
        self._one_by_one: set[Endpoint] = set()

    def close(self) -> None:
        """End the connections."""
        while self._kept:
            self._kept.pop().close()

    def certificate_ends(self) -> datetime | None:
        """Tell until when the certificate counts that the last server showed; None where no connection waits."""
        ends = self._kept[-1].certificate().get("notAfter") if self._kept else None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None

    def request(
        self, method: str, url: str, *, limit: int, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Send one request and read the whole answer.

        A GET over a kept connection that ends before an answer is sent once more: the server may have closed it.

        Raises:
            ServerUnreachable: no connection, no trusted certificate, or no complete answer in time.
            TooLarge: a success larger than `limit`.
            BadResponse: no HTTP, or a success that is compressed although nobody asked for that.
        """
        host = urlsplit(url).netloc
        try:
            with deadline.within(self._timeout):
                return self._answer(method, url, limit, headers or {}, content)
        except TimeoutError:
            raise ServerUnreachable(f"{host} did not answer completely within {self._timeout:g} seconds.") from None
        except NotHttp as error:
            raise BadResponse(f"{host} is no web server: {error}.", server=host) from None
        except (OSError, ValueError) as error:
            raise ServerUnreachable(f"{host} cannot be reached: {_reason(error)}.", server=host) from None

    def request_together(self, urls: Sequence[tuple[str, int]], headers: Mapping[str, str]) -> Answers | None:
        """Get several addresses of one server, each with its limit, over one connection without waiting in between.

        None, or fewer answers than addresses, if anything is wrong: be it that the server does not know how to answer
        several requests in a row. Ask one by one then.
        """
        endpoint, host, target = _parts(urls[0][0])
        if endpoint in self._one_by_one:
            return None
        server, sent_headers = urls[0][0].removesuffix(target), _with_usual(host, headers)
        try:
            sent = b"".join([request("GET", url.removeprefix(server), sent_headers) for url, _ in urls])
            with deadline.within(self._timeout):
                connection = self._kept_connection(endpoint) or self._new_connection(endpoint)
                connection.send(sent)
        except (OSError, ValueError):
            return None
        limits = [limit for _, limit in urls]
        return Answers(connection, limits, self._timeout, self._put_back, self._one_by_one.add)

    def _answer(self, method: str, url: str, limit: int, headers: Mapping[str, str], content: bytes) -> Answer:
        endpoint, _, _ = _parts(url)
        sent = self._written(method, url, headers, content)
        connection = self._kept_connection(endpoint) or self._new_connection(endpoint)
        try:
            return self._asked(connection, sent, limit)
        except (ConnectionEnded, ConnectionError):
            if method != "GET" or not connection.was_used:
                raise
        return self._asked(self._new_connection(endpoint), sent, limit)

    @staticmethod
    def _written(method: str, url: str, headers: Mapping[str, str], content: bytes) -> bytes:
        _, host, target = _parts(url)
        sent = _with_usual(host, headers)
        if content or method not in ("GET", "DELETE"):
            sent["Content-Length"] = str(len(content))
        return request(method, target, sent, content)

    def _asked(self, connection: Connection, sent: bytes, limit: int) -> Answer:
        try:
            connection.send(sent)
            answer, can_be_kept = read_answer(connection, limit)
        except BaseException:
            connection.close()
            raise
        self._put_back(connection, can_be_kept)
        return answer

    def _put_back(self, connection: Connection, can_be_kept: bool) -> None:
        connection.was_used = True
        if can_be_kept and len(self._kept) < MOST_KEPT:
            self._kept.append(connection)
        else:
            connection.close()

    def _kept_connection(self, endpoint: Endpoint) -> Connection | None:
        """Take a connection that waits, so that no other thread does."""
        for connection in list(self._kept):
            try:
                if connection.endpoint == endpoint:
                    self._kept.remove(connection)
                else:
                    continue
            except ValueError:  # another thread was faster
                continue
            if not connection.is_over():
                return connection
            connection.close()
        return None

    def _new_connection(self, endpoint: Endpoint) -> Connection:
        proxy = _proxy_for(endpoint) if self._through_proxies else None
        return Connection(endpoint, self._context, proxy)


def tls_context(
    ca_pem: str | None = None, client_cert: tuple[Path, Path] | None = None, *, verify: bool = True
) -> ssl.SSLContext:
    """Make the TLS settings for a server: with `ca_pem` only these authorities count, without it the system's.

    `client_cert` names the files of a certificate and of its key.

    Raises:
        InvalidInput: a certificate or a key cannot be read.
    """
    try:
        if ca_pem and client_cert is None and verify:
            return _context_of(ca_pem)
        context = ssl.create_default_context(cadata=ca_pem or None)
        if client_cert is not None:
            context.load_cert_chain(*client_cert)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise InvalidInput(f"A certificate for the trust server cannot be read: {_reason(error)}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=MOST_KEPT)
def _context_of(ca_pem: str) -> ssl.SSLContext:
    """Read authorities once in a process; nobody changes the settings made of them."""
    context = ssl.create_default_context(cadata=ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def is_local(url: str) -> bool:
    """Tell whether a URL's host can only be this machine: such a server is never asked through a proxy."""
    return is_loopback(urlsplit(url).hostname or "")


def _with_usual(host: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {
        "Host": host,
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
        **headers,
    }


def _parts(url: str) -> tuple[Endpoint, str, str]:
    """Give where a request goes, the host it names, and what it asks for there."""
    parts = urlsplit(url)
    endpoint = Endpoint(parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return endpoint, parts.netloc.rpartition("@")[2], target


def _proxy_for(endpoint: Endpoint) -> Proxy | None:
    """Read the environment's proxy for a server, if it has one."""
    if not any(name.lower().endswith("_proxy") and value for name, value in os.environ.items()):
        return None
    from urllib.request import getproxies, proxy_bypass  # it loads half of HTTP again, and few have a proxy

    proxies = getproxies()
    address = proxies.get(endpoint.scheme) or proxies.get("all")
    if not address or proxy_bypass(f"{endpoint.host}:{endpoint.port}") or proxy_bypass(endpoint.host):
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"the proxy {parts.hostname or ''} is none of the kind http://")
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(parts.hostname, parts.port or 80, authorization)


def _reason(error: Exception) -> str:
    """Give the cause in its own words, shortened to the part people can act on."""
    text = plain(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return f"its certificate is not trusted ({reason or 'unknown reason'})"
    return (text or type(error).__name__).rstrip(".")
