"""What a key service has to offer, and how one is asked."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import httpx

from signing.adapters.outside_text import plain
from signing.errors import BadKeyServiceAnswer, KeyServiceDenied, KeyServiceUnreachable
from signing.trust.keystore.outside import Scheme
from signing.trust.tuf.keys import PublicKey

MOST_BYTES = 256 * 1024
QUOTED = 200


class KeyService(Protocol):
    """One key in a key service."""

    name: str

    def public(self) -> PublicKey:
        """Give the public half of the newest key of that name.

        Raises:
            KeyServiceError: it cannot be had, or could be exported.
        """

    def sign(self, public: PublicKey, scheme: Scheme, payload: bytes) -> bytes:
        """Sign with the version of the key that has this public half; ECDSA comes as DER.

        Raises:
            KeyServiceError: it does not sign.
        """


class Caller:
    """Requests to one service: HTTPS (plain HTTP to this machine alone), no redirects, bounded answers and times.

    What a refusal quotes is plain text without any of the secrets.
    """

    def __init__(self, base: str, *, who: str, seconds: float, ca_pem: str = "", secrets: Iterable[str] = ()) -> None:
        self.url = httpx.URL(base)
        self.who = who
        if self.url.scheme != "https" and not (self.url.scheme == "http" and _is_here(self.url.host)):
            raise KeyServiceUnreachable(f"{who} is reached by HTTPS only; {self.url.host} has another address.")
        self._secrets = [secret for secret in secrets if secret]
        self._seconds = seconds
        self._context = ssl.create_default_context(cadata=ca_pem or None)

    def ask(self, method: str, path: str, headers: Mapping[str, str], content: bytes = b"") -> dict[str, Any]:
        """Send one request and read its JSON.

        Raises:
            KeyServiceUnreachable: no answer in time.
            KeyServiceDenied: it says no.
            BadKeyServiceAnswer: it says something else.
        """
        try:
            with (
                httpx.Client(verify=self._context, timeout=self._seconds, trust_env=True) as client,
                client.stream(method, self.url.join(path), headers=headers, content=content) as response,
            ):
                body = self._read(response)
        except httpx.HTTPError as error:
            # the chain is cut: the request inside it carries the credentials
            raise KeyServiceUnreachable(f"{self.who} does not answer ({type(error).__name__}).") from None
        return self._understood(response.status_code, body)

    def garbled(self, what: str) -> BadKeyServiceAnswer:
        """Say that an answer is not one of this service's."""
        return BadKeyServiceAnswer(f"{self.who} answered with {what}.")

    def _read(self, response: httpx.Response) -> bytes:
        body = b""
        for part in response.iter_bytes():
            body += part
            if len(body) > MOST_BYTES:
                raise self.garbled("more than a signature")
        return body

    def _understood(self, status: int, body: bytes) -> dict[str, Any]:
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if status in (401, 403) or (status == 400 and _is_denial(told)):
            raise KeyServiceDenied(f"{self.who} does not allow that: {self._quoted(told)}")
        if status != 200:
            raise self.garbled(f"HTTP {status}: {self._quoted(told)}")
        if not isinstance(told, dict):
            raise self.garbled("something that is no JSON object")
        return told

    def _quoted(self, told: object) -> str:
        said = told if isinstance(told, dict) else {}
        given = (said.get(name) for name in ("message", "Message", "errors", "__type"))
        return plain(next(filter(None, given), "no reason"), QUOTED, secrets=self._secrets)


def _is_here(host: str) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")


def _is_denial(told: object) -> bool:
    """AWS says no with 400 and a type."""
    kind = str(told.get("__type", "")) if isinstance(told, dict) else ""
    return kind.rpartition("#")[2] in _DENIALS


_DENIALS = (
    "AccessDeniedException",
    "UnrecognizedClientException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "ExpiredTokenException",
    "DisabledException",
)
