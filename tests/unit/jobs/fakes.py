"""A trust server that breaks, an Engine and a registry in memory, which fail where a test says so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from signing.adapters.engine import EngineInfo, PushedImage
from signing.adapters.registry import Manifest
from signing.errors import UnknownImage
from tests.simulator import Clock, Simulator


class BreakableNotary(Simulator):
    """The simulator, with a way to break it just before or just after an update is stored."""

    def __init__(self) -> None:
        super().__init__(Clock(datetime.now(UTC)))
        self.before_post: Callable[[], None] = lambda: None
        self.after_post: Callable[[], None] = lambda: None

    def post(self, gun: str, files: Mapping[str, bytes]) -> None:
        self.before_post()
        super().post(gun, files)
        self.after_post()


@dataclass
class FakeEngine:
    """Images by name; an image is the bytes of its manifest."""

    registry: FakeRegistry
    images: dict[str, bytes] = field(default_factory=dict)
    pulled: list[str] = field(default_factory=list)
    logins: list[Any] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    is_open: bool = False
    reported_size: int | None = None
    progress_events: Sequence[tuple[str, str, int, int]] = (("abc", "Downloading", 1, 2), ("", "Digest: x", 0, 0))

    def __enter__(self) -> FakeEngine:
        self.is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.is_open = False

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
        return PushedImage(manifest.digest, self.reported_size or len(data))

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
        self.ignores_puts = False
        self.deletes = True
        self.deletes_by_digest = False

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
            if self.ignores_puts:
                return
        self.manifests[path, manifest.digest] = manifest
        self.tags[path, tag] = manifest.digest
        if self.loses_answers and tag != "trustui-staging":
            self.loses_answers = False
            raise self.fails["lost"]

    def list_tags(self, path: str, most: int) -> list[str] | None:
        self._may_fail("list")
        return sorted(tag for known, tag in self.tags if known == path)[:most] or None

    def tag_digest(self, path: str, tag: str) -> str | None:
        self._may_fail("head")
        return self.tags.get((path, tag))

    def delete_tag(self, path: str, tag: str) -> bool:
        self._may_fail("delete")
        if self.deletes:
            digest = self.tags.pop((path, tag), None)
            if self.deletes_by_digest:
                self.tags = {key: found for key, found in self.tags.items() if found != digest}
        return self.deletes

    def _may_fail(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
