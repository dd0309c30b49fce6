"""Who asks for a token, by what they send along: name and password, an API token, or a refresh token."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from django.http import HttpRequest

from signing.models import User
from signing.selectors.sign_in import has_second_factor, must_have_second_factor
from signing.services import api_tokens
from signing.services.registry_tokens import refresh_token_for, user_of_refresh_token
from trustui.sign_in.accounts import authenticate
from trustui.sign_in.lockout import LockedOut


class Refused(Exception):
    """Nobody gets a token this way; `code` is the registry's word for it, `grant_error` OAuth2's (RFC 6749, 5.2)."""

    def __init__(
        self, status: int, code: str, message: str, grant_error: str = "invalid_grant", retry_after: int = 0
    ) -> None:
        super().__init__(code)
        self.retry_after = retry_after
        self.status = status
        self.code = code
        self.message = message
        self.grant_error = grant_error


class Login(NamedTuple):
    """Who asks, and what they may keep to ask again without the password."""

    user: User
    refresh_token: str


def of_header(request: HttpRequest) -> Login | None:
    """Read the Authorization header; without one nobody in particular asks.

    Raises:
        Refused: it lets nobody in.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    scheme, _, encoded = header.partition(" ")
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise Refused(401, "UNAUTHORIZED", "Only a user name and a password let you in here.")
    return of_password(request, username, password)


def of_password(request: HttpRequest, username: str, password: str) -> Login:
    """Check a name and a password. An API token in place of the password counts with any name.

    Raises:
        Refused: they are wrong, or too many were.
    """
    if password.startswith(api_tokens.PREFIX):
        return _of_api_token(password)
    user = None
    if "\0" not in username:
        try:
            user = authenticate(request, username, password)
        except LockedOut as locked:
            raise Refused(429, "TOOMANYREQUESTS", locked.sentence, retry_after=locked.seconds) from None
    if user is None:
        raise Refused(401, "UNAUTHORIZED", "The user name or the password is wrong.")
    if user.must_change_password:
        raise Refused(401, "UNAUTHORIZED", "Sign in to the dashboard once and replace the one-time password.")
    _require_one_factor(user)
    return Login(user, refresh_token_for(user))


def of_refresh_token(text: str) -> Login:
    """Check what was given out as a refresh token; an API token is its own.

    Raises:
        Refused: it is no good, or not any more.
    """
    if text.startswith(api_tokens.PREFIX):
        return _of_api_token(text)
    user = user_of_refresh_token(text)
    if user is None:
        raise Refused(401, "UNAUTHORIZED", "This refresh token is not good any more; log in again.")
    _require_one_factor(user)
    return Login(user, text)


def _require_one_factor(user: User) -> None:
    """Refuse a password alone where more than a password is asked of its owner; docker cannot ask for a second step."""
    if has_second_factor(user) or must_have_second_factor(user):
        raise Refused(
            401, "UNAUTHORIZED", "You sign in with a second factor; use an API token in place of the password."
        )


def _of_api_token(raw: str) -> Login:
    token = api_tokens.authenticate(raw)
    if token is None:
        raise Refused(401, "UNAUTHORIZED", "This API token is unknown, expired or revoked.")
    return Login(token.user, raw)
