"""What every route does around its view: method, name of the repository, who may come in, counting, errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.http import HttpRequest, HttpResponse

from signing.server import auth, metrics
from signing.server.auth import Access
from signing.server.errors import METADATA_NOT_FOUND, UNKNOWN, ApiError, Kind
from signing.server.names import is_gun, is_served, prefixes
from signing.trust.errors import KeyStoreError

View = Callable[..., HttpResponse]
NOT_FOUND_FOR_ALL: Mapping[str, Kind] = MappingProxyType({})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """A view behind one method of a route, what it takes to come in, and the operation that the metrics count."""

    view: View
    access: Access = auth.PULL
    operation: str = ""


def endpoint(*, bad_gun: Mapping[str, Kind] = NOT_FOUND_FOR_ALL, **doors: Door) -> View:
    """Answer each HTTP method through its door, given by name; any other is 404, HEAD too, as Notary has it.

    This is the one place that every request passes with its method and GUN known. A GUN the server does not take ends
    as `bad_gun` says for the method, else as not found, before anybody is asked for a token, as in notary-server.
    """

    def dispatch(request: HttpRequest, **arguments: str) -> HttpResponse:
        door = doors.get(str(request.method))
        try:
            if door is None:
                raise ApiError(METADATA_NOT_FOUND)
            if "gun" in arguments and not is_served(arguments["gun"]):
                raise _refused_gun(arguments["gun"], bad_gun.get(str(request.method)))
            auth.require(request.META.get("HTTP_AUTHORIZATION"), door.access, arguments.get("gun", auth.CATALOG_NAME))
            return door.view(request, **arguments)
        except ApiError as error:
            return error.response()
        except KeyStoreError as error:
            log.error("%s of %s: a key of the server cannot be used: %s", request.method, request.path, error)
            return ApiError(UNKNOWN).response()

    def counted(request: HttpRequest, **arguments: str) -> HttpResponse:
        started = time.perf_counter()
        response = dispatch(request, **arguments)
        door = doors.get(str(request.method))
        if door is not None and door.operation:
            took, received = time.perf_counter() - started, request.META.get("CONTENT_LENGTH") or "0"
            metrics.observe(
                door.operation,
                str(request.method),
                response.status_code,
                took,
                int(received) if received.isdecimal() else 0,
                len(response.content),
            )
        return response

    return counted


def _refused_gun(gun: str, kind: Kind | None) -> ApiError:
    if kind is None:
        return ApiError(METADATA_NOT_FOUND)
    return ApiError(kind, f"Require GUNs with prefix: {prefixes()}") if is_gun(gun) else ApiError(kind)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for an address that is none of the API's."""
    return ApiError(METADATA_NOT_FOUND).response()
