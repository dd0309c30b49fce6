"""What a trust server asks for when it answers 401, and how to give it (reference 3.10)."""

from __future__ import annotations

import ipaddress
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from signing.trust.errors import BadResponse, MalformedMetadata, NotAuthorised
from signing.trust.tuf import canonical

LARGEST_TOKEN_ANSWER = 64 * 1024
SHORTEST_LIFE = 60
"""Seconds a token lives when its server does not say (the distribution token protocol)."""

RENEW_BEFORE = 10

# Compiled when they are needed: most servers ask for nothing.
_PARAMETER = r'([a-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))'
_SCHEME = r"(?:^|,)\s*(bearer|basic)(?=\s|$)"
_VISIBLE = r"[\x21-\x7e]+"


class Fetch(Protocol):
    """How a token service is asked: one GET without redirects and with limits."""

    def __call__(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[int, bytes]:
        """Give status and body."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A `WWW-Authenticate` header: `bearer` with the token service, or `basic`."""

    scheme: str
    realm: str = ""
    service: str = ""

    @classmethod
    def parse(cls, header: str) -> Challenge | None:
        """Read the challenge; Bearer wins over Basic, other schemes are passed over."""
        found = {match[1].lower(): header[match.end() :] for match in re.finditer(_SCHEME, header, re.IGNORECASE)}
        if "bearer" in found:
            parameters = re.finditer(_PARAMETER, found["bearer"], re.IGNORECASE)
            values = {match[1].lower(): match[2] or match[3] or "" for match in parameters}
            return cls("bearer", values.get("realm", ""), values.get("service", ""))
        return cls("basic") if "basic" in found else None


@dataclass(slots=True, repr=False)
class Credentials:
    """A user's name and password for one trust server, and the tokens they were exchanged for.

    Without a name the token service is asked anonymously. Neither `repr` nor a message shows the password or a token.
    """

    username: str | None
    password: str | None
    fetch: Fetch
    clock: Callable[[], float] = time.monotonic
    _challenge: Challenge | None = None
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def headers(self, scope: str) -> dict[str, str]:
        """Give what to send for `scope`: nothing until the server has asked once."""
        if self._challenge is None:
            return {}
        if self._challenge.scheme == "basic":
            return {"Authorization": self._basic()}
        return {"Authorization": f"Bearer {self._token(self._challenge, scope)}"}

    def answer(self, header: str, scope: str) -> dict[str, str]:
        """Give what to send after a 401 with this challenge; a token that was refused is not sent again.

        The scope is what this client needs, whatever the challenge asks for: a token for another repository would be
        one to abuse.

        Raises:
            NotAuthorised: there is nothing to answer with, or the token service refused.
            BadResponse: the challenge or the token service is none this client can speak with.
        """
        challenge = Challenge.parse(header)
        if challenge is None:
            raise NotAuthorised("The trust server wants a sign-in of a kind this client does not know.")
        self._challenge = challenge
        self._tokens.pop(scope, None)
        return self.headers(scope)

    def _basic(self) -> str:
        if self.username is None:
            raise NotAuthorised("The trust server wants a user name and a password.")
        pair = f"{self.username}:{self.password or ''}".encode()
        return f"Basic {b64encode(pair).decode()}"

    def _token(self, challenge: Challenge, scope: str) -> str:
        token, until = self._tokens.get(scope, ("", 0.0))
        if self.clock() >= until:
            token, life = self._fetched(challenge, scope)
            self._tokens[scope] = (token, self.clock() + life)
        return token

    def _fetched(self, challenge: Challenge, scope: str) -> tuple[str, float]:
        require_protected(challenge.realm)
        query = {"scope": scope, "service": challenge.service}
        if self.username is not None:
            query = {"account": self.username, **query}
        joint = "&" if urlsplit(challenge.realm).query else "?"
        headers = {} if self.username is None else {"Authorization": self._basic()}
        status, body = self.fetch(f"{challenge.realm}{joint}{urlencode(query)}", headers, LARGEST_TOKEN_ANSWER)
        if status in (400, 401, 403):
            raise NotAuthorised("The trust server's token service refused the user name or password.")
        if status != 200:
            raise BadResponse(f"The trust server's token service answered {status}.")
        return _read_token(body)


def require_protected(url: str) -> None:
    """Raise unless what is sent to `url` is encrypted or stays on this machine.

    Raises:
        BadResponse: it is neither.
    """
    try:
        parts = urlsplit(url)
        protected = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        well_formed = bool(parts.hostname) and parts.username is None and not parts.fragment
    except ValueError:
        protected = well_formed = False
    if not (protected and well_formed):
        raise BadResponse(f"The trust server sends passwords to {url[:200]!r}, which is not an https address.")


def is_loopback(host: str) -> bool:
    """Tell whether a host's name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read_token(body: bytes) -> tuple[str, float]:
    try:
        answer = canonical.parse(body)
    except MalformedMetadata:
        answer = None
    if not isinstance(answer, dict):
        raise BadResponse("The trust server's token service gave an answer that is no token.")
    token, life = answer.get("token") or answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not re.fullmatch(_VISIBLE, token):
        raise BadResponse("The trust server's token service gave an answer that is no token.")
    seconds = max(life, SHORTEST_LIFE) if type(life) is int else SHORTEST_LIFE
    return token, float(seconds - RENEW_BEFORE)
