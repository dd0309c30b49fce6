"""What monitoring reads, for who has the token or comes from a network that may."""

from __future__ import annotations

import hmac
import ipaddress

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from signing.selectors.metrics import registry


@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Give every figure in Prometheus' text form.

    Where neither METRICS_TOKEN nor METRICS_FROM is set there is nothing here.
    """
    if not (settings.METRICS_TOKEN or settings.METRICS_FROM):
        raise Http404
    if not (_has_token(request) or _is_from_allowed_network(request)):
        answer = HttpResponse("This needs the token of METRICS_TOKEN.\n", status=401, content_type="text/plain")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), expected.encode())


def _is_from_allowed_network(request: HttpRequest) -> bool:
    """Tell by the address of who connects; behind a proxy that is the proxy, so a token is better there."""
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in settings.METRICS_FROM)
