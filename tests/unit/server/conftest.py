"""The trust server under Django's test client, with the settings it runs under: its own routes, no middleware."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from signing.trust.tuf.keys import PublicKey
from tests.unit.trust.notary.publisher import GUN, Publisher

BOUNDARY = "a-boundary-of-a-test"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def body_of(*parts: tuple[str, bytes]) -> bytes:
    """Write a publish as Go's client does."""
    written = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="files"; filename="%b"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%b\r\n" % (BOUNDARY.encode(), name.encode(), data)
        for name, data in parts
    )
    return written + b"--%b--\r\n" % BOUNDARY.encode()


@dataclass
class Api:
    """Requests for one GUN."""

    client: Client
    gun: str = GUN

    def path(self, name: str = "") -> str:
        return f"/v2/{self.gun}/_trust/tuf/{name}"

    def get(self, name: str) -> HttpResponse:
        return self.client.get(self.path(name))

    def publish(self, *parts: tuple[str, bytes], files: Mapping[str, bytes] | None = None) -> HttpResponse:
        return self.send(body_of(*parts, *(files or {}).items()))

    def send(self, body: bytes, content_type: str = MULTIPART) -> HttpResponse:
        return self.client.post(self.path(), body, content_type=content_type)

    def delete(self) -> HttpResponse:
        return self.client.delete(self.path())

    def key(self, role: str) -> PublicKey:
        return PublicKey.from_json(json.loads(self.get(f"{role}.key").content))

    def rotated_key(self, role: str) -> PublicKey:
        return PublicKey.from_json(json.loads(self.client.post(self.path(f"{role}.key")).content))

    def signed(self, name: str) -> dict[str, Any]:
        answer = self.get(name)
        assert answer.status_code == 200, answer.content
        return dict(json.loads(answer.content)["signed"])

    def publisher(self) -> Publisher:
        """Give an owner who leaves the snapshot to the server."""
        return Publisher(self.gun, timezone.now(), self.key("snapshot"), self.key("timestamp"))


def error_of(answer: HttpResponse) -> dict[str, Any]:
    (error,) = json.loads(answer.content)["errors"]
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert len(answer.content) < 1024, "clients read no more of an error"
    return dict(error)


@pytest.fixture
def api(db: None, client: Client, settings: Settings) -> Api:
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "signing.server.urls"
    client.raise_request_exception = False
    return Api(client)


@pytest.fixture
def owner(api: Api) -> Publisher:
    """The owner of a published repository."""
    owner = api.publisher()
    assert api.publish(files=owner.first()).status_code == 200
    return owner
