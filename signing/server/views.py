"""The answers of Notary's HTTP API."""

from __future__ import annotations

import json
import logging

from cryptography.exceptions import InvalidTag
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from signing.server import changefeed as changes
from signing.server import hsm, reading, storage
from signing.server import metrics as counted
from signing.server.current_files import StoredFile
from signing.server.errors import (
    MALFORMED_JSON,
    METADATA_NOT_FOUND,
    UNKNOWN,
    UPDATING,
    VERSION,
    ApiError,
    of_rejection,
)
from signing.server.headers import CONSISTENT, CURRENT, headers_of
from signing.server.online_keys import OnlineKeys, check_master_key
from signing.server.upload import read_update
from signing.trust.errors import MalformedMetadata, PublishRejected, TokenUnavailable, TrustError, VersionConflict
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.times import parse_time

log = logging.getLogger(__name__)


def ready(request: HttpRequest) -> HttpResponse:
    """Answer the clients' first question: is there a server?"""
    return _plain(b"{}")


def health(request: HttpRequest) -> HttpResponse:
    """Say whether the database answers, and whether the master key and the token, if any, are there."""
    problems = {}
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("the database does not answer")
        problems["DB operational"] = "the database does not answer"
    try:
        check_master_key()
    except ImproperlyConfigured:
        log.exception("the master key cannot be used")
        problems["Trust operational"] = "the master key cannot be used"
    try:
        hsm.check()
    except TokenUnavailable:
        log.exception("the token cannot be used")
        problems["Trust operational"] = "the token of the server's keys cannot be used"
    body = json.dumps(problems).encode()
    return HttpResponse(body, status=503 if problems else 200, content_type="application/json; charset=utf-8")


def metrics(request: HttpRequest) -> HttpResponse:
    """Give what monitoring reads."""
    return HttpResponse(counted.exposition(), content_type=counted.CONTENT_TYPE)


def publish(request: HttpRequest, gun: str) -> HttpResponse:
    """Take an update."""
    update = read_update(request)
    try:
        storage.publish(gun, update)
    except MalformedMetadata:
        raise ApiError(MALFORMED_JSON) from None
    except PublishRejected as error:
        raise of_rejection(error) from None
    except VersionConflict:
        raise ApiError(VERSION, {}) from None
    except DatabaseError:
        log.exception("an update of %s was not stored", gun)
        raise ApiError(UPDATING) from None
    return _done()


def delete(request: HttpRequest, gun: str) -> HttpResponse:
    """Delete the metadata of one GUN."""
    storage.delete(gun)
    return _done()


def current(request: HttpRequest, gun: str, role: str) -> HttpResponse:
    """Give a role's newest file; the server's own are renewed first when their time is near."""
    found = _found(reading.current(gun, role))
    if found.renew_at is not None and found.renew_at <= timezone.now():
        found = _renewed(gun, role, found)
    return _metadata(found, CURRENT)


def _renewed(gun: str, role: str, old: StoredFile) -> StoredFile:
    try:
        storage.renew(gun)
    except (TrustError, InvalidTag, DatabaseError) as error:
        log.warning("%s of %s could not be renewed: %r", role, gun, error)
    newest = _found(reading.current(gun, role))
    if parse_time(Envelope.parse(newest.data).signed["expires"]) < timezone.now():
        raise ApiError(UNKNOWN)
    return newest


def by_hash(request: HttpRequest, gun: str, role: str, digest: str) -> HttpResponse:
    """Give the file that has a hash; only a lower-case SHA-256 is ever found."""
    return _consistent(reading.by_hash(gun, role, digest))


def by_version(request: HttpRequest, gun: str, role: str, version: str) -> HttpResponse:
    """Give one version of a role's file."""
    return _consistent(reading.by_version(gun, role, int(version)))


def key(request: HttpRequest, gun: str, role: str) -> HttpResponse:
    """Give the public key the server signs a role with, or one to name in the first root."""
    found = reading.current(gun, roles.ROOT)
    keyids = Root.from_signed(Envelope.parse(found.data).signed).roles[role].keyids if found else ()
    return _public_key(OnlineKeys(gun).public(role, keyids, timezone.now()))


def rotate_key(request: HttpRequest, gun: str, role: str) -> HttpResponse:
    """Give a public key that no root has named yet."""
    return _public_key(OnlineKeys(gun).waiting(role, timezone.now()))


def changefeed(request: HttpRequest, gun: str | None = None) -> HttpResponse:
    """Give one page of what happened, on the whole server or to one GUN."""
    return _plain(changes.page(request.GET, gun))


def _found(file: StoredFile | None) -> StoredFile:
    if file is None:
        raise ApiError(METADATA_NOT_FOUND, {})
    return file


def _consistent(file: StoredFile | None) -> HttpResponse:
    return _metadata(_found(file), CONSISTENT)


def _metadata(file: StoredFile, caching: str) -> HttpResponse:
    return HttpResponse(file.data, headers=dict(headers_of(file, caching)))


def _public_key(public: PublicKey) -> HttpResponse:
    value = public.to_json()["keyval"]["public"]
    body = {"keytype": public.keytype, "keyval": {"public": value, "private": None}}
    return _plain(json.dumps(body, separators=(",", ":")).encode())


def _plain(body: bytes) -> HttpResponse:
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    response["Content-Length"] = str(len(body))
    return response


def _done() -> HttpResponse:
    response = _plain(b"")
    del response["Content-Type"]
    return response
