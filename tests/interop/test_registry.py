"""The registry adapter against the real docker-registry 2.8, filled by the real Docker Engine."""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from signing.adapters.engine import Engine
from signing.adapters.manifest import Manifest, sha256_digest
from signing.adapters.registry import Registry
from signing.errors import RegistryLoginNeeded, RegistryRefused, RegistryUnreachable
from tests.interop.adapter_parts import PASSWORD, USERNAME, StrictRegistry, layer
from tests.parts.engine import Engine as EnginePart
from tests.parts.engine import Registry as RegistryPart


@dataclass(frozen=True)
class Case:
    host: str
    deletes: bool


@pytest.fixture(params=["deletes by digest", "deletes nothing"])
def a_registry(
    request: pytest.FixtureRequest, registry: RegistryPart, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    if request.param == "deletes by digest":
        yield Case(registry.host, deletes=True)
        return
    other = StrictRegistry(tmp_path_factory.mktemp("no-deletes"), deletes=False).start()
    yield Case(other.host, deletes=False)
    other.stop()


@pytest.fixture
def path() -> str:
    return f"team-{uuid.uuid4().hex[:8]}/app"


def push(engine: EnginePart, host: str, path: str, tag: str) -> str:
    with Engine(engine.url) as docker:
        docker.import_tar(layer(), f"{host}/{path}:{tag}")
        return docker.push(f"{host}/{path}", tag).digest


def tags(host: str, path: str) -> set[str]:
    with urllib.request.urlopen(f"http://{host}/v2/{path}/tags/list", timeout=10) as answer:
        return set(json.load(answer)["tags"] or ())


def test_the_public_tag_gets_the_staged_manifest_and_outlives_the_staging_tag(
    engine: EnginePart, a_registry: Case, path: str
) -> None:
    digest = push(engine, a_registry.host, path, "trustui-staging")
    with Registry(a_registry.host) as registry:
        staged = registry.manifest(path, "trustui-staging")
        assert staged
        assert staged.digest == digest
        registry.put_manifest(path, "1.0", staged)
        registry.put_manifest(path, "latest", staged)
        assert registry.tag_digest(path, "1.0") == digest

        gone = registry.delete_tag(path, "trustui-staging")

        assert gone is a_registry.deletes
        assert registry.tag_digest(path, "1.0") == registry.tag_digest(path, "latest") == digest
        assert registry.manifest(path, "1.0") == registry.manifest(path, digest) == staged
        assert tags(a_registry.host, path) == {"1.0", "latest"} | (set() if gone else {"trustui-staging"})
        if not gone:
            left = registry.manifest(path, "trustui-staging")
            assert left
            assert json.loads(left.data)["layers"] == []


def test_what_was_released_can_be_pulled_after_the_cleaning(engine: EnginePart, a_registry: Case, path: str) -> None:
    push(engine, a_registry.host, path, "trustui-staging")
    with Registry(a_registry.host) as registry:
        staged = registry.manifest(path, "trustui-staging")
        assert staged
        registry.put_manifest(path, "1.0", staged)
        registry.delete_tag(path, "trustui-staging")
    with Engine(engine.url) as docker:
        docker.pull(f"{a_registry.host}/{path}:1.0")
        assert docker.has_image(f"{a_registry.host}/{path}@{staged.digest}")


def test_the_staging_tag_can_be_used_and_cleaned_again(engine: EnginePart, a_registry: Case, path: str) -> None:
    with Registry(a_registry.host) as registry:
        for tag in ("1.0", "2.0"):
            digest = push(engine, a_registry.host, path, "trustui-staging")
            staged = registry.manifest(path, "trustui-staging")
            assert staged
            registry.put_manifest(path, tag, staged)
            assert registry.delete_tag(path, "trustui-staging") is a_registry.deletes
            assert registry.tag_digest(path, tag) == digest
        assert {"1.0", "2.0"} <= tags(a_registry.host, path)


def test_a_tag_that_is_not_there_is_none_and_counts_as_deleted(registry: RegistryPart, path: str) -> None:
    with Registry(registry.host) as client:
        assert client.manifest(path, "1.0") is None
        assert client.tag_digest(path, "1.0") is None
        assert client.delete_tag(path, "1.0") is True
        assert client.manifest(path, "sha256:" + "0" * 64) is None


def test_a_manifest_whose_parts_are_missing_is_refused_with_the_reason(registry: RegistryPart, path: str) -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + "1" * 64, "size": 2}
    data = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}).encode()
    with Registry(registry.host) as client, pytest.raises(RegistryRefused, match="blob unknown"):
        client.put_manifest(path, "1.0", Manifest(sha256_digest(data), kind, data))


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictRegistry]:
    started = StrictRegistry(tmp_path_factory.mktemp("protected"), wants_login=True)
    yield started.start()
    started.stop()


def test_the_right_login_reads_writes_and_deletes(engine: EnginePart, protected: StrictRegistry, path: str) -> None:
    name = f"{protected.host}/{path}"
    with Engine(engine.url) as docker:
        docker.import_tar(layer(), f"{name}:trustui-staging")
        pushed = docker.push(name, "trustui-staging", {"username": USERNAME, "password": PASSWORD})
    with Registry(protected.host, USERNAME, PASSWORD) as registry:
        staged = registry.manifest(path, "trustui-staging")
        assert staged
        registry.put_manifest(path, "1.0", staged)
        assert registry.delete_tag(path, "trustui-staging") is True
        assert registry.tag_digest(path, "1.0") == pushed.digest


@pytest.mark.parametrize(
    ("username", "password", "words"),
    [(USERNAME, "wrong", "does not accept"), ("mallory", PASSWORD, "does not accept"), (None, None, "wants a login")],
)
def test_a_wrong_or_missing_login_is_refused_for_every_step(
    protected: StrictRegistry, path: str, username: str | None, password: str | None, words: str
) -> None:
    manifest = Manifest(sha256_digest(b"{}"), "application/vnd.oci.image.manifest.v1+json", b"{}")
    with Registry(protected.host, username, password) as registry:
        for step in (
            lambda: registry.manifest(path, "1.0"),
            lambda: registry.tag_digest(path, "1.0"),
            lambda: registry.put_manifest(path, "1.0", manifest),
            lambda: registry.delete_tag(path, "1.0"),
        ):
            with pytest.raises(RegistryLoginNeeded, match=words) as caught:
                step()
            assert "wrong" not in caught.value.message


def test_a_stopped_registry_is_out_of_reach(tmp_path: Path) -> None:
    part = StrictRegistry(tmp_path).start()
    with Registry(part.host) as registry:
        assert registry.tag_digest("team/app", "1.0") is None
        part.stop()
        with pytest.raises(RegistryUnreachable, match="Nothing answers"):
            registry.tag_digest("team/app", "1.0")
