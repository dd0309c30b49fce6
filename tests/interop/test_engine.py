"""The Engine adapter against the real dockerd 20.10 and docker-registry 2.8."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from signing.adapters.engine import Engine, Progress
from signing.adapters.registry import Registry
from signing.errors import (
    NoEngine,
    RegistryLoginNeeded,
    RegistryUnreachable,
    TransferFailed,
    UnknownImage,
)
from tests.interop.adapter_parts import PASSWORD, USERNAME, StrictRegistry, layer
from tests.parts.engine import Engine as EnginePart
from tests.parts.engine import Registry as RegistryPart

Steps = list[tuple[str, str, int, int]]


@pytest.fixture
def ours(engine: EnginePart) -> Iterator[Engine]:
    with Engine(engine.url) as connected:
        yield connected


@pytest.fixture
def remove(engine: EnginePart) -> Iterator[Callable[[str], None]]:
    """Remove a local image by docker's own means."""
    client = docker.APIClient(base_url=engine.url, version="auto")
    yield lambda name: client.remove_image(name, force=True)
    client.close()


@pytest.fixture
def repository(registry: RegistryPart) -> str:
    return f"{registry.host}/team-{uuid.uuid4().hex[:8]}/app"


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictRegistry]:
    started = StrictRegistry(tmp_path_factory.mktemp("protected"), wants_login=True)
    yield started.start()
    started.stop()


def noting(steps: Steps) -> Progress:
    return lambda *step: steps.append(step)


def test_the_engine_tells_its_version_and_images(ours: Engine, repository: str) -> None:
    ours.import_tar(layer(), f"{repository}:here")
    status = ours.status()
    assert status.version.startswith("20.10")
    assert f"{repository}:here" in status.images


def test_an_image_is_tagged_pushed_removed_and_pulled_again(
    ours: Engine, repository: str, registry: RegistryPart, remove: Callable[[str], None]
) -> None:
    image_id = ours.import_tar(layer(), f"{repository}:source")
    assert image_id.startswith("sha256:")
    ours.tag(f"{repository}:source", f"{repository}:1.0")
    pushed = ours.push(repository, "1.0")
    with Registry(registry.host) as direct:
        manifest = direct.manifest(repository.removeprefix(f"{registry.host}/"), "1.0")
    assert manifest
    assert (manifest.digest, manifest.size) == (pushed.digest, pushed.size)

    remove(image_id)
    assert not ours.has_image(f"{repository}:1.0")
    ours.pull(f"{repository}:1.0")
    assert ours.has_image(f"{repository}:1.0")
    assert ours.has_image(image_id)


def test_an_image_is_pulled_by_its_digest(ours: Engine, repository: str, remove: Callable[[str], None]) -> None:
    image_id = ours.import_tar(layer(), f"{repository}:1.0")
    pushed = ours.push(repository, "1.0")
    remove(image_id)
    ours.pull(f"{repository}@{pushed.digest}")
    assert ours.has_image(f"{repository}@{pushed.digest}")


def test_each_layer_shows_its_progress(ours: Engine, repository: str, remove: Callable[[str], None]) -> None:
    image_id = ours.import_tar(layer(5_000_000), f"{repository}:1.0")
    pushing: Steps = []
    ours.push(repository, "1.0", None, noting(pushing))
    moving = [(layer_id, current, total) for layer_id, status, current, total in pushing if status == "Pushing"]
    assert moving
    assert all(layer_id and current > 0 and total >= 5_000_000 for layer_id, current, total in moving)
    assert (moving[0][0], "Pushed") in {step[:2] for step in pushing}

    remove(image_id)
    pulling: Steps = []
    ours.pull(f"{repository}:1.0", None, noting(pulling))
    assert "Pull complete" in {status for _, status, _, _ in pulling}


def test_a_push_that_is_stopped_by_its_callback_leaves_no_tag(
    ours: Engine, repository: str, registry: RegistryPart
) -> None:
    class Cancelled(Exception):
        pass

    def cancel(layer_id: str, status: str, current: int, total: int) -> None:
        if status == "Pushing":
            raise Cancelled

    ours.import_tar(layer(20_000_000), f"{repository}:1.0")
    with pytest.raises(Cancelled):
        ours.push(repository, "1.0", None, cancel)
    with Registry(registry.host) as direct:
        assert direct.tag_digest(repository.removeprefix(f"{registry.host}/"), "1.0") is None
    assert ours.push(repository, "1.0").size > 0


def test_an_unknown_image_is_named_wherever_it_is_looked_for(ours: Engine, repository: str) -> None:
    for step in (
        lambda: ours.pull(f"{repository}:missing"),
        lambda: ours.push(repository, "missing"),
        lambda: ours.tag(f"{repository}:missing", f"{repository}:1.0"),
    ):
        with pytest.raises(UnknownImage, match=repository):
            step()


def test_something_that_is_no_tar_is_not_imported(ours: Engine, repository: str) -> None:
    with pytest.raises(TransferFailed, match="tar"):
        ours.import_tar(b"no tar" * 500, f"{repository}:1.0")
    assert not ours.has_image(f"{repository}:1.0")


def test_the_right_login_pushes_and_pulls(
    ours: Engine, protected: StrictRegistry, remove: Callable[[str], None]
) -> None:
    name, login = f"{protected.host}/team/app", {"username": USERNAME, "password": PASSWORD}
    image_id = ours.import_tar(layer(), f"{name}:1.0")
    ours.push(name, "1.0", login)
    remove(image_id)
    ours.pull(f"{name}:1.0", login)
    assert ours.has_image(f"{name}:1.0")


@pytest.mark.parametrize("login", [None, {"username": USERNAME, "password": "wrong-canary"}])
def test_a_wrong_or_missing_login_is_asked_for(
    ours: Engine, protected: StrictRegistry, login: dict[str, str] | None
) -> None:
    name = f"{protected.host}/team/other"
    ours.import_tar(layer(), f"{name}:1.0")
    for step in (lambda: ours.push(name, "1.0", login), lambda: ours.pull(f"{name}:1.0", login)):
        with pytest.raises(RegistryLoginNeeded) as caught:
            step()
        assert "canary" not in f"{caught.value.message} {caught.value.detail}"


def test_a_stopped_registry_is_out_of_reach(ours: Engine, tmp_path: Path) -> None:
    part = StrictRegistry(tmp_path).start()
    name = f"{part.host}/team/app"
    ours.import_tar(layer(), f"{name}:1.0")
    part.stop()
    for step in (lambda: ours.push(name, "1.0"), lambda: ours.pull(f"{name}:2.0")):
        with pytest.raises(RegistryUnreachable, match="Nothing answers"):
            step()


def test_a_registry_whose_name_does_not_resolve_is_out_of_reach(ours: Engine) -> None:
    with pytest.raises(RegistryUnreachable):
        ours.pull("registry.invalid/team/app:1.0")


def test_a_missing_engine_is_missed(tmp_path: Path) -> None:
    with Engine(f"unix://{tmp_path}/docker.sock") as ours, pytest.raises(NoEngine, match="does not exist"):
        ours.status()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # docker's own attempt to connect again
def test_an_engine_that_was_stopped_is_missed(tmp_path_factory: pytest.TempPathFactory, registry: RegistryPart) -> None:
    part = EnginePart(tmp_path_factory.mktemp("short-lived"), registry.host).start()
    with Engine(part.url) as ours:
        try:
            assert ours.status().version
        finally:
            part.stop()
        with pytest.raises(NoEngine, match=r"does not exist|refused"):
            ours.status()
    gc.collect()  # while the warning is ignored
