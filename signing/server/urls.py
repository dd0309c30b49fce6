"""Notary's routes. GUNs stand in them raw, with slashes and colons; by hash comes before by version before plain."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from signing.server import views
from signing.server.endpoint import endpoint, not_found
from signing.server.errors import INVALID_GUN, UNKNOWN, ApiError

_GUN = r"^v2/(?P<gun>[^*]+)/_trust/"
_ROLE = r"(?P<role>root|targets(?:/[-a-z0-9_]+)*|snapshot|timestamp)"

urlpatterns = [
    re_path(r"^v2/$", endpoint(GET=views.ready)),
    re_path(r"^_notary_server/health$", endpoint(GET=views.health)),
    re_path(r"^v2/_trust/changefeed$", endpoint(GET=views.changefeed)),
    re_path(_GUN + r"tuf/$", endpoint(POST=views.publish, DELETE=views.delete, bad_gun={"POST": INVALID_GUN})),
    re_path(_GUN + rf"tuf/{_ROLE}\.(?P<digest>[0-9a-fA-F]{{64}})\.json$", endpoint(GET=views.by_hash)),
    re_path(_GUN + rf"tuf/(?P<version>[0-9]{{1,10}})\.{_ROLE}\.json$", endpoint(GET=views.by_version)),
    re_path(_GUN + rf"tuf/{_ROLE}\.json$", endpoint(GET=views.current)),
    re_path(_GUN + r"tuf/(?P<role>snapshot|timestamp)\.key$", endpoint(GET=views.key, POST=views.rotate_key)),
    re_path(_GUN + r"changefeed$", endpoint(GET=views.changefeed)),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that is none of the API's."""
    return not_found(request)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer for a mistake of the server's own; Django has logged it."""
    return ApiError(UNKNOWN).response()
