"""What a registry asks for when it answers 401, and the login that is sent back."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field

from signing.adapters.outside_text import secrets_in
from signing.errors import BadRegistryAnswer

_CHALLENGE = re.compile(r'\b(Basic|Bearer)\s+((?:[a-z_]+="[^"]*"(?:\s*,\s*)?)*)', re.IGNORECASE)
_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """A user name and password that do not show themselves."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """Return the value of the Authorization header."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()

    def secrets(self) -> list[str]:
        """Return what must not be shown when the registry echoes it."""
        return secrets_in({"username": self.username, "password": self.password})


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that the registry offers."""

    scheme: str
    realm: str = ""
    service: str = ""


def best_challenge(headers: Iterable[str]) -> Challenge | None:
    """Return the token login if the registry offers one, else the basic one, else `None`.

    The scope it names is not read: we ask for what we are about to do and nothing else.
    """
    offered = {}
    for header in headers:
        for scheme, rest in _CHALLENGE.findall(header[:4096]):
            parameters = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
            offered[scheme.lower()] = Challenge(
                scheme.lower(), parameters.get("realm", ""), parameters.get("service", "")
            )
    return offered.get("bearer") or offered.get("basic")


def token_in(body: bytes) -> str:
    """Return the token of a token server's answer. Raises: BadRegistryAnswer."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        token = document.get("token") or document.get("access_token")
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            return token
    raise BadRegistryAnswer("The registry's token server answered without a token.")
