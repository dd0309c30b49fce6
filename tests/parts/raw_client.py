"""Notary's API without a client's logic: files signed by a test go out as they are, and what comes back is shown."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from signing.trust.notary.transport import multipart
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import FileMeta
from tests.unit.trust.notary.publisher import Publisher

BOUNDARY = "a-boundary-of-a-test"
SECONDS = 60
_OWN_ROLES = ("snapshot", "timestamp")


class Server(Protocol):
    """What both trust servers have."""

    @property
    def url(self) -> str: ...

    @property
    def ca_file(self) -> Path: ...


class Answer(NamedTuple):
    """Status and body."""

    status: int
    body: bytes

    @property
    def code(self) -> str:
        """The name of Notary's error."""
        return str(json.loads(self.body)["errors"][0]["code"])


def new_gun() -> str:
    """Name a repository nobody used."""
    return f"127.0.0.1:5999/raw/{uuid.uuid4().hex[:12]}"


class RawClient:
    """One connection that stays open, for one repository."""

    def __init__(self, server: Server, gun: str) -> None:
        host, _, port = server.url.removeprefix("https://").rpartition(":")
        context = ssl.create_default_context(cafile=str(server.ca_file))
        self._connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=SECONDS)
        self.gun = gun
        self.path = f"/v2/{gun}/_trust/tuf/"

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def get(self, name: str) -> Answer:
        """Ask for `root.json`, `targets/alice.HASH.json`, `timestamp.key` and so on."""
        return self._ask("GET", name)

    def post(self, files: Mapping[str, bytes]) -> Answer:
        """Publish."""
        return self.send(multipart(files, BOUNDARY))

    def send(self, body: bytes) -> Answer:
        """Publish what was written before."""
        return self._ask("POST", "", body)

    def owner(self) -> Publisher:
        """Give somebody who could initialise the repository, with the server's keys for it."""
        snapshot, timestamp = (PublicKey.from_json(json.loads(self.get(f"{role}.key").body)) for role in _OWN_ROLES)
        return Publisher(self.gun, datetime.now(UTC), snapshot, timestamp)

    def whole_set(self) -> dict[str, int]:
        """Follow the newest timestamp to every file, each by its hash, and give the versions.

        Raises:
            AssertionError: a file is missing, or is another than its parent names.
        """
        timestamp = self._signed(self.get("timestamp.json"), "timestamp")
        snapshot = self._promised("snapshot", timestamp["meta"]["snapshot"])
        below = {role: self._promised(role, meta) for role, meta in snapshot["meta"].items()}
        files = {"timestamp": timestamp, "snapshot": snapshot, **below}
        return {role: int(signed["version"]) for role, signed in files.items()}

    def _promised(self, role: str, meta: Any) -> dict[str, Any]:
        sha256 = FileMeta.from_json(meta, role).sha256
        answer = self.get(f"{role}.{sha256}.json")
        assert hashlib.sha256(answer.body).hexdigest() == sha256, f"{role}: {answer}"
        return self._signed(answer, role)

    def _signed(self, answer: Answer, role: str) -> dict[str, Any]:
        assert answer.status == 200, f"{role} of {self.gun}: {answer}"
        return dict(json.loads(answer.body)["signed"])

    def _ask(self, method: str, name: str, body: bytes | None = None) -> Answer:
        headers = {} if body is None else {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        try:
            self._connection.request(method, self.path + name, body, headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.read())
        except (http.client.HTTPException, OSError):
            self.close()
            raise
