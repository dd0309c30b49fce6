"""How often one sender may ask: each token, person and address, counted in the cache that all processes share."""

from __future__ import annotations

import hashlib
import math
import time

from django.http import HttpRequest
from ninja.throttling import SimpleRateThrottle

from signing.models import User
from signing.permissions import acting_token
from trustui.errors import Refused

REQUESTS = "600/m"  # of one token, or of one person's sessions
CHANGES = "120/m"  # of these, how many may change something
WRONG_TOKENS = "10/m"  # from one address
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class _Limit(SimpleRateThrottle):
    """One limit for one sender. Ninja keeps what it counted on the object, so each request makes its own."""

    def __init__(self, rate: str, *sender: object) -> None:
        super().__init__(rate)
        self.sender = hashlib.sha256(repr((rate, *sender)).encode()).hexdigest()

    def get_cache_key(self, request: HttpRequest) -> str:
        return f"api_{self.sender}"

    def is_reached(self, request: HttpRequest) -> bool:
        """Tell whether there were enough already, without counting this one."""
        self.now = time.time()
        since = self.now - (self.duration or 0)
        self.history = [at for at in self.cache.get(self.get_cache_key(request), []) if at > since]
        return len(self.history) >= (self.num_requests or 0)

    def refusal(self) -> Refused:
        return Refused("too_many_requests", headers={"Retry-After": str(math.ceil(self.wait() or self.duration or 1))})


def require_below_limits(request: HttpRequest, user: User) -> None:
    """Count this request of a known sender.

    Raises:
        Refused: it is one too many.
    """
    token = acting_token(user)
    sender = ("token", token.pk) if token else ("person", user.pk)
    limits = [_Limit(REQUESTS, *sender)]
    if request.method not in SAFE_METHODS:
        limits.append(_Limit(CHANGES, "changes", *sender))
    for limit in limits:
        if not limit.allow_request(request):
            raise limit.refusal()


def require_few_wrong_tokens(request: HttpRequest) -> None:
    """Let nobody try out tokens.

    Raises:
        Refused: too many from this address were of no use lately; no token is even looked at.
    """
    limit = _wrong_tokens(request)
    if limit.is_reached(request):
        raise limit.refusal()


def count_wrong_token(request: HttpRequest) -> None:
    """Remember that one was of no use."""
    _wrong_tokens(request).allow_request(request)


def _wrong_tokens(request: HttpRequest) -> _Limit:
    return _Limit(WRONG_TOKENS, "wrong", _Limit(WRONG_TOKENS).get_ident(request))
