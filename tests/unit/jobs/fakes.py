"""A trust server, an Engine and a registry in memory, which fail where a test says so."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from signing.adapters.engine import EngineInfo, PushedImage
from signing.adapters.registry import Manifest
from signing.errors import UnknownImage
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.acceptance import FilesInMemory, accept
from signing.trust.notary.server_made import AcceptedFile
from signing.trust.tuf.keys import PublicKey


class FakeNotary:
    """Notary's rules on dictionaries. `before_post` and `after_post` may raise; `is_down` refuses everything."""

    def __init__(self) -> None:
        self.newest: dict[str, dict[str, AcceptedFile]] = defaultdict(dict)
        self.files: dict[tuple[str, str], bytes] = {}
        self.keys: dict[tuple[str, str], PrivateKey] = {}
        self.posts = 0
        self.is_down: Exception | None = None
        self.before_post: Callable[[], None] = lambda: None
        self.after_post: Callable[[], None] = lambda: None

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        self._require_up()
        return self.files.get((str(gun), name))

    def get_key(self, gun: str, role: str) -> PublicKey:
        self._require_up()
        return self._key(str(gun), role).public

    def post(self, gun: str, files: Mapping[str, bytes]) -> None:
        self._require_up()
        self.before_post()
        gun = str(gun)
        held = _Held(self, gun)
        for file in accept(gun, files, FilesInMemory(self.newest[gun]), held, datetime.now(UTC)):
            self.newest[gun][file.role] = file
            digest = hashlib.sha256(file.data).hexdigest()
            for name in (f"{file.role}.json", f"{file.role}.{digest}.json", f"{file.version}.{file.role}.json"):
                self.files[gun, name] = file.data
        self.posts += 1
        self.after_post()
        self._require_up()

    def delete(self, gun: str) -> None:
        self.newest.pop(str(gun), None)
        self.files = {key: data for key, data in self.files.items() if key[0] != str(gun)}

    def _key(self, gun: str, role: str) -> PrivateKey:
        return self.keys.setdefault((gun, role), PrivateKey.generate())

    def _require_up(self) -> None:
        if self.is_down:
            raise self.is_down


@dataclass
class _Held:
    notary: FakeNotary
    gun: str

    def open(self, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        key = self.notary.keys.get((self.gun, role))
        return [key] if key and key.key_id in keyids else []


@dataclass
class FakeEngine:
    """Images by name; an image is the bytes of its manifest."""

    registry: FakeRegistry
    images: dict[str, bytes] = field(default_factory=dict)
    pulled: list[str] = field(default_factory=list)
    logins: list[Any] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    progress_events: Sequence[tuple[str, str, int, int]] = (("abc", "Downloading", 1, 2), ("", "Digest: x", 0, 0))

    def status(self) -> EngineInfo:
        self._may_fail("status")
        return EngineInfo("28.2.2", tuple(sorted(self.images)))

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def pull(self, reference: str, auth: Any = None, progress: Any = None) -> None:
        self._may_fail("pull")
        self.logins.append(auth)
        for event in self.progress_events:
            progress(*event)
        self.pulled.append(reference)
        self.images.setdefault(reference, b'{"image": "%s"}' % reference.encode())

    def tag(self, source: str, target: str) -> None:
        if source not in self.images:
            raise UnknownImage(f"The Engine has no image {source}.")
        self.images[target] = self.images[source]

    def push(self, repository: str, tag: str, auth: Any = None, progress: Any = None) -> PushedImage:
        self._may_fail("push")
        self.logins.append(auth)
        for event in self.progress_events:
            progress(*event)
        data = self.images[f"{repository}:{tag}"]
        manifest = Manifest(digest_of(data), "application/vnd.oci.image.manifest.v1+json", data)
        self.registry.put_manifest(repository.partition("/")[2], tag, manifest)
        return PushedImage(manifest.digest, len(data))

    def _may_fail(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]


class FakeRegistry:
    """Tags and manifests per repository path."""

    def __init__(self) -> None:
        self.tags: dict[tuple[str, str], str] = {}
        self.manifests: dict[tuple[str, str], Manifest] = {}
        self.fails: dict[str, Exception] = {}
        self.loses_answers = False
        self.deletes = True

    def __enter__(self) -> FakeRegistry:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def manifest(self, path: str, reference: str) -> Manifest | None:
        self._may_fail("manifest")
        return self.manifests.get((path, self.tags.get((path, reference), reference)))

    def put_manifest(self, path: str, tag: str, manifest: Manifest) -> None:
        if tag != "trustui-staging":
            self._may_fail("put")
        self.manifests[path, manifest.digest] = manifest
        self.tags[path, tag] = manifest.digest
        if self.loses_answers and tag != "trustui-staging":
            self.loses_answers = False
            raise self.fails["lost"]

    def tag_digest(self, path: str, tag: str) -> str | None:
        self._may_fail("head")
        return self.tags.get((path, tag))

    def delete_tag(self, path: str, tag: str) -> bool:
        self._may_fail("delete")
        if self.deletes:
            self.tags.pop((path, tag), None)
        return self.deletes

    def _may_fail(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
