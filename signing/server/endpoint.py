"""What every route does around its view: method, name of the repository, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from signing.server.errors import METADATA_NOT_FOUND, ApiError, Kind
from signing.server.names import is_gun

View = Callable[..., HttpResponseBase]
NOT_FOUND_FOR_ALL: Mapping[str, Kind] = MappingProxyType({})


def endpoint(*, bad_gun: Mapping[str, Kind] = NOT_FOUND_FOR_ALL, **views: View) -> View:
    """Answer each HTTP method by its view, given by name; any other is 404, HEAD too, as Notary has it.

    This is the one place that every request passes with its method and GUN known. A GUN the server does not take ends
    as `bad_gun` says for the method, else as not found.
    """

    def dispatch(request: HttpRequest, **arguments: str) -> HttpResponseBase:
        view = views.get(str(request.method))
        try:
            if view is None:
                raise ApiError(METADATA_NOT_FOUND)
            if "gun" in arguments and not is_gun(arguments["gun"]):
                raise ApiError(bad_gun.get(str(request.method), METADATA_NOT_FOUND))
            return view(request, **arguments)
        except ApiError as error:
            return error.response()

    return dispatch


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for an address that is none of the API's."""
    return ApiError(METADATA_NOT_FOUND).response()
