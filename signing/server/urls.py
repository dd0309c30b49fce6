"""Notary's routes. GUNs stand in them raw, with slashes and colons; by hash comes before by version before plain."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from signing.server import auth, views
from signing.server.endpoint import Door, endpoint, not_found
from signing.server.errors import INVALID_GUN, UNKNOWN, ApiError

_GUN = r"^v2/(?P<gun>[^*]+)/_trust/"
_ROLE = r"(?P<role>root|targets(?:/[-a-z0-9_]+)*|snapshot|timestamp)"

urlpatterns = [
    re_path(r"^v2/$", endpoint(GET=Door(views.ready, auth.SIGNED_IN))),
    re_path(r"^_notary_server/health$", endpoint(GET=Door(views.health, auth.ANYBODY))),
    re_path(r"^metrics$", endpoint(GET=Door(views.metrics, auth.ANYBODY))),
    re_path(r"^v2/_trust/changefeed$", endpoint(GET=Door(views.changefeed, auth.CATALOG, "Changefeed"))),
    re_path(
        _GUN + r"tuf/$",
        endpoint(
            bad_gun={"POST": INVALID_GUN},
            POST=Door(views.publish, auth.PUSH, "UpdateTUF"),
            DELETE=Door(views.delete, auth.EVERYTHING, "DeleteTUF"),
        ),
    ),
    re_path(
        _GUN + rf"tuf/{_ROLE}\.(?P<digest>[0-9a-fA-F]{{64}})\.json$",
        endpoint(GET=Door(views.by_hash, auth.PULL, "GetRoleByHash")),
    ),
    re_path(
        _GUN + rf"tuf/(?P<version>[0-9]{{1,10}})\.{_ROLE}\.json$",
        endpoint(GET=Door(views.by_version, auth.PULL, "GetRoleByVersion")),
    ),
    re_path(_GUN + rf"tuf/{_ROLE}\.json$", endpoint(GET=Door(views.current, auth.PULL, "GetRole"))),
    re_path(
        _GUN + r"tuf/(?P<role>snapshot|timestamp)\.key$",
        endpoint(
            GET=Door(views.key, auth.PUSH, "GetKey"),
            POST=Door(views.rotate_key, auth.EVERYTHING, "RotateKey"),
        ),
    ),
    re_path(_GUN + r"changefeed$", endpoint(GET=Door(views.changefeed, auth.PULL, "Changefeed"))),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that is none of the API's."""
    return not_found(request)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer for a mistake of the server's own; Django has logged it."""
    return ApiError(UNKNOWN).response()
