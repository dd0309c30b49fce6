"""HTTP with hard limits: how long an answer may take in all, how large it may be, and where it may come from."""

from __future__ import annotations

import contextvars
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpcore
import httpx

from signing.trust.errors import BadResponse, InvalidInput, ServerUnreachable, TooLarge
from signing.trust.notary.server_errors import plain
from signing.trust.notary.tokens import is_loopback

DEADLINE = 30.0
POOL = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=60)
USER_AGENT = "trustui"

_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline")


class Answer(NamedTuple):
    """A complete answer; the body of an error is cut at the limit, that of a success never is."""

    status: int
    headers: httpx.Headers
    body: bytes


class LimitedClient:
    """A pooled client that follows no redirects, takes no compressed bodies and ends whatever lasts too long."""

    def __init__(self, context: ssl.SSLContext, *, timeout: float = DEADLINE, through_proxies: bool = True) -> None:
        self._timeout = timeout
        self._client = httpx.Client(
            transport=None if through_proxies and getproxies() else _DirectTransport(context),
            verify=context,
            trust_env=through_proxies,
            follow_redirects=False,
            limits=POOL,
            timeout=timeout,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def request(
        self, method: str, url: str, *, limit: int, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Send one request and read the whole answer.

        A GET whose connection ends before the answer does is sent once more: the server may have closed a connection
        that was kept from before.

        Raises:
            ServerUnreachable: no connection, no trusted certificate, or no complete answer in time.
            TooLarge: a success larger than `limit`.
            BadResponse: a success that is compressed although nobody asked for that.
        """
        host = urlsplit(url).netloc
        try:
            with self._within_deadline():
                try:
                    return self._sent(method, url, limit, headers, content)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    if method != "GET":
                        raise
                    return self._sent(method, url, limit, headers, content)
        except httpx.TimeoutException:
            raise ServerUnreachable(f"{host} did not answer completely within {self._timeout:g} seconds.") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServerUnreachable(f"{host} cannot be reached: {_reason(error)}.", server=host) from None

    def _sent(self, method: str, url: str, limit: int, headers: Mapping[str, str] | None, content: bytes) -> Answer:
        with self._client.stream(method, url, headers=headers, content=content) as answer:
            body = self._read(answer, limit, urlsplit(url).netloc)
            return Answer(answer.status_code, answer.headers, body)

    @contextmanager
    def _within_deadline(self) -> Iterator[None]:
        token = _deadline.set(time.monotonic() + self._timeout)
        try:
            yield
        finally:
            _deadline.reset(token)

    def _read(self, answer: httpx.Response, limit: int, host: str) -> bytes:
        succeeded = answer.status_code == httpx.codes.OK
        if succeeded and answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise BadResponse(f"{host} compressed an answer although that was not asked for.")
        promised = answer.headers.get("Content-Length", "")
        if succeeded and promised.isdecimal() and int(promised[:20]) > limit:
            raise TooLarge(f"{host} announced {promised[:20]} bytes where {limit} are the most.")
        body = bytearray()
        for part in answer.iter_raw():
            body += part
            if time.monotonic() > _deadline.get():
                raise httpx.ReadTimeout("the answer took too long")
            if len(body) > limit and not succeeded:
                return bytes(body[:limit])
            if len(body) > limit:
                raise TooLarge(f"{host} sent more than the {limit} bytes that are the most.")
        return bytes(body)


def tls_context(
    ca_pem: str | None = None, client_cert: tuple[Path, Path] | None = None, *, verify: bool = True
) -> ssl.SSLContext:
    """Make the TLS settings for a server: with `ca_pem` only these authorities count, without it the system's.

    `client_cert` names the files of a certificate and of its key.

    Raises:
        InvalidInput: a certificate or a key cannot be read.
    """
    try:
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


def is_local(url: str) -> bool:
    """Tell whether a URL's host can only be this machine: such a server is never asked through a proxy."""
    return is_loopback(urlsplit(url).hostname or "")


class _DirectTransport(httpx.HTTPTransport):
    """httpx's own transport on connections whose every read and write ends at the request's deadline.

    httpx knows timeouts for single reads only: a server that sends a byte now and then would hold a request for ever.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, limits=POOL)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(  # httpx offers no other way to choose the network
            ssl_context=context,
            max_connections=POOL.max_connections,
            max_keepalive_connections=POOL.max_keepalive_connections,
            keepalive_expiry=POOL.keepalive_expiry,
            network_backend=_DeadlineNetwork(),
        )


class _DeadlineNetwork(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(
            super().connect_tcp(host, port, _left(timeout, httpcore.ConnectTimeout), local_address, socket_options)
        )


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """Give the time one read or write has left."""
    deadline = _deadline.get(None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the deadline is over")
    return left if timeout is None else min(left, timeout)


def _reason(error: Exception) -> str:
    """Give the cause in its own words, shortened to the part people can act on."""
    text = plain(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return f"its certificate is not trusted ({reason or 'unknown reason'})"
    return (text or type(error).__name__).rstrip(".")
