"""Two of every part on one PostgreSQL and one Redis, under load, while each copy is killed in turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts.cluster import Cluster
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.stores import Postgres
from tests.soak.publisher import Publisher
from tests.soak.truth import Truth

LANES = 4
VICTIMS = ("web-1", "signing-1", "trust-1", "docker-1", "web-2", "signing-2", "trust-2", "docker-2", "scheduler-1")
DEAD_SECONDS = 1.5
BETWEEN_SECONDS = 2.0
END_SECONDS = 90


@pytest.fixture
def cluster(
    tmp_path: Path, postgres: Postgres, redis_url: str, engine: Engine, registry: Registry
) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "cluster", postgres, redis_url, engine, registry)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def team(cluster: Cluster) -> dict[str, Any]:
    return dict(cluster.program("tests.parts.cluster_team", cluster.registry.host, str(LANES)))


@pytest.fixture
def docker(tmp_path: Path, cluster: Cluster) -> DockerCli:
    return DockerCli(
        program=require_docker(),
        home=tmp_path / "docker",
        engine=cluster.engine.url,
        registry=cluster.registry.host,
        trust_url=cluster.trust_url,
        ca_pem=cluster.ca_pem,
    )


def test_nothing_acknowledged_is_lost_doubled_or_stuck(
    cluster: Cluster, team: dict[str, Any], docker: DockerCli, tmp_path: Path
) -> None:
    truth = Truth(cluster, tmp_path / "truth")
    truth.remember_versions(team["guns"])
    lanes = [Publisher(cluster, team["token"], gun, team["signer"]) for gun in team["guns"]]
    docker.make_image("ours/load:1", "an image under load")
    enough, broken = threading.Event(), list[BaseException]()

    def load(lane: Publisher) -> None:
        number = 0
        try:
            while not enough.is_set():
                number += 1
                lane.wait(lane.publish("ours/load:1", f"v{number}"), END_SECONDS)
        except BaseException as error:  # told in the test's own thread
            broken.append(error)

    threads = [threading.Thread(target=load, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for victim in VICTIMS:
        cluster.kill(victim)
        time.sleep(DEAD_SECONDS)  # how long a machine is gone
        cluster.resume(victim)
        time.sleep(BETWEEN_SECONDS)
    enough.set()
    for thread in threads:
        thread.join(END_SECONDS + 30)

    assert not broken
    assert sum(len(lane.acknowledged) for lane in lanes) > 2 * LANES, "too few publishes to mean anything"
    ended = truth.operations()
    acknowledged = sorted(number for lane in lanes for number in lane.acknowledged)
    assert [one.pk for one in ended] == acknowledged, "every acknowledged publish is there, and none besides"
    assert [problem for one in ended for problem in truth.problems_of(one)] == []
    assert truth.doubled(team["guns"]) == []
    assert [(one.pk, one.error) for one in ended if one.state != "done"] == []
    for gun in team["guns"]:
        signed = {tag["SignedTag"] for tag in docker.described(gun)["SignedTags"]}
        assert signed == {one.tag for one in ended if one.gun == gun}
    assert cluster.program("tests.parts.cluster_audit") == {"problems": []}
