"""One of every part, each of which can be killed, and a team that publishes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.parts.cluster import Cluster
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.stores import Postgres, RedisServer
from tests.soak.publisher import Publisher
from tests.soak.truth import Truth

IMAGE = "ours/soak:1"

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Part:
    """Something that can end at any moment, and be started again."""

    name: str
    kill: Act
    resume: Act


@dataclass(frozen=True, slots=True)
class World:
    """What a soak needs."""

    cluster: Cluster
    parts: tuple[Part, ...]
    lanes: tuple[Publisher, ...]
    truth: Truth


@contextlib.contextmanager
def running(folder: Path, lanes: int) -> Iterator[World]:
    """Start everything in `folder`, and end it."""
    with contextlib.ExitStack() as ending:
        (folder / "registry").mkdir(parents=True)
        (folder / "engine").mkdir()
        registry = Registry(folder / "registry")
        ending.callback(registry.stop)
        registry.start()
        engine = Engine(folder / "engine", registry.host)
        ending.callback(engine.stop)
        engine.start()
        postgres = Postgres(folder / "postgres" / "cluster")
        ending.callback(postgres.stop)
        postgres.start()
        redis = RedisServer(folder / "redis")
        ending.callback(redis.stop)
        redis.resume()
        cluster = Cluster(folder / "soak", postgres, redis.url, engine, registry, copies=1)
        ending.callback(cluster.stop)
        cluster.start()
        team = cluster.program("tests.parts.cluster_team", registry.host, str(lanes))
        _image(folder, cluster)
        truth = Truth(cluster, folder / "truth")
        truth.remember_versions(team["guns"])
        publishers = tuple(Publisher(cluster, team["token"], gun, team["signer"]) for gun in team["guns"])
        servers = (
            Part("postgres", postgres.kill, postgres.resume),
            Part("redis", redis.kill, redis.resume),
            Part("registry", registry.kill, registry.resume),
            Part("engine", engine.kill, engine.resume),
        )
        yield World(cluster, (*_copies(cluster), *servers), publishers, truth)


def _copies(cluster: Cluster) -> Iterator[Part]:
    for name in cluster.processes:
        if name != "notices-1":  # it sends mail and has no part in a publish
            yield Part(name.removesuffix("-1"), lambda it=name: cluster.kill(it), lambda it=name: cluster.resume(it))  # type: ignore[misc]


def _image(folder: Path, cluster: Cluster) -> None:
    docker = DockerCli(
        program=require_docker(),
        home=folder / "docker",
        engine=cluster.engine.url,
        registry=cluster.registry.host,
        trust_url=cluster.trust_url,
        ca_pem=cluster.ca_pem,
    )
    docker.make_image(IMAGE, "an image that is published again and again")
