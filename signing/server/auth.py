"""Who may come in: everybody, or who brings a token that a registry's token service issued (Notary v1: token auth)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from signing.server.errors import UNAUTHORIZED, ApiError
from signing.server.tokens import InvalidToken, TokenVerifier, read_bundle

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What a route needs. Without a `kind` everybody may come in; for `any_token` a valid token will do."""

    kind: str
    actions: tuple[str, ...] = ()
    any_token: bool = False


ANYBODY = Access("")
PULL = Access("repository", ("pull",))
PUSH = Access("repository", ("push", "pull"))
EVERYTHING = Access("repository", ("*",))
CATALOG = Access("registry", ("*",))
SIGNED_IN = Access("registry", ("*",), any_token=True)

CATALOG_NAME = "catalog"


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Lets clients in by their tokens, and tells the others where to get one."""

    realm: str
    service: str
    verifier: TokenVerifier
    anonymous_pull: bool

    def require(self, authorization: str | None, access: Access, name: str) -> None:
        """Raise unless the header holds a token that grants `access` to `name`.

        Raises:
            ApiError: UNAUTHORIZED, with the challenge that clients answer.
        """
        if not access.kind or (access == PULL and self.anonymous_pull):
            return
        problem = ""
        if authorization:
            try:
                grants = self.verifier.verify(_bearer(authorization), timezone.now())
            except InvalidToken as error:
                log.info("a token was refused: %s", error)
                problem = "invalid_token"
            else:
                if access.any_token or grants.allow(access.kind, name, access.actions):
                    return
                problem = "insufficient_scope"
        raise self._challenge(access.kind, name, access.actions, problem)

    def _challenge(self, kind: str, name: str, actions: Sequence[str], problem: str) -> ApiError:
        scope = f"{kind}:{name}:{','.join(actions)}"
        challenge = f'Bearer realm="{self.realm}",service="{self.service}",scope="{scope}"'
        if problem:
            challenge += f',error="{problem}"'
        detail = [{"Type": kind, "Class": "", "Name": name, "Action": action} for action in actions]
        return ApiError(UNAUTHORIZED, detail, {"WWW-Authenticate": challenge})


def require(authorization: str | None, access: Access, gun: str = CATALOG_NAME) -> None:
    """Raise unless whoever sent this header may have `access` to `gun`.

    Raises:
        ApiError: UNAUTHORIZED.
    """
    if settings.TRUST_SERVER_AUTH != "none":
        doorkeeper().require(authorization, access, gun)


def doorkeeper() -> Doorkeeper:
    """Make the doorkeeper that the settings ask for, once.

    Raises:
        ImproperlyConfigured: the settings do not say who issues tokens.
    """
    return doorkeeper_of(
        settings.TRUST_SERVER_AUTH_REALM,
        settings.TRUST_SERVER_AUTH_SERVICE,
        settings.TRUST_SERVER_AUTH_ISSUER,
        settings.TRUST_SERVER_AUTH_BUNDLE,
        settings.TRUST_SERVER_ANONYMOUS_PULL,
    )


@lru_cache(maxsize=1)
def doorkeeper_of(realm: str, service: str, issuer: str, bundle: str, anonymous_pull: bool) -> Doorkeeper:
    """Make a doorkeeper that believes the certificates in the file `bundle`.

    Raises:
        ImproperlyConfigured: something is missing or cannot be read.
    """
    given = {"realm": realm, "service": service, "issuer": issuer, "bundle": bundle}
    if missing := [name for name, value in given.items() if not value]:
        raise ImproperlyConfigured(f"Token authentication needs {' and '.join(missing)} as well (--auth-{missing[0]}).")
    if not all(text.isascii() and text.isprintable() and '"' not in text for text in (realm, service)):
        raise ImproperlyConfigured("The realm and the service of tokens may hold visible ASCII only, and no quotes.")
    try:
        certificates = read_bundle(Path(bundle).read_bytes())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(
            f"The certificates of the token issuer cannot be read from {bundle}: {error}"
        ) from None
    return Doorkeeper(realm, service, TokenVerifier(issuer, service, certificates), anonymous_pull)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken("it is not a Bearer token")
    return token.strip()
