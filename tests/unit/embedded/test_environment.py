"""No part is told another part's secret."""

from pathlib import Path

import pytest

from trustui.embedded import environment
from trustui.embedded.place import Place

PLACE = Place(var=Path("/state"), run=Path("/state/run"), port=8000, trust_port=4443)
PERSON = {
    "PATH": "/bin",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "DOCKER_HOST": "unix:///elsewhere.sock",
    "ALLOWED_HOSTS": "trust.example",
}


def of(part: str, **more: str) -> dict[str, str]:
    return environment.of(
        part,
        PLACE,
        secrets=Path("/state/secrets"),
        redis_url="unix:///state/run/broker.sock?db=0",
        docker_host="unix:///state/run/docker.sock",
        environ={**PERSON, **more},
    )


@pytest.mark.parametrize(
    ("part", "files"),
    [
        ("web", {"secret_key", "sealing_public_keys", "audit_public_key"}),
        (
            "signing_worker",
            {"sealing_public_keys", "signing_worker_key", "master_key", "audit_key", "trust_server_master_key"},
        ),
        ("docker_worker", {"sealing_public_keys", "docker_worker_key"}),
        ("notices_worker", {"sealing_public_keys", "notices_worker_key"}),
        ("scheduler", set()),
        ("notary", {"trust_server_master_key"}),
    ],
)
def test_each_part_gets_its_own_secrets(part: str, files: set[str]) -> None:
    told = {Path(value).name for name, value in of(part).items() if name.endswith("_FILE")}
    assert told == files


@pytest.mark.parametrize("part", ["web", "signing_worker", "scheduler", "notary"])
def test_only_the_docker_worker_knows_the_engine(part: str) -> None:
    assert not {name for name in of(part) if name.startswith("DOCKER_HOST")}
    assert of("docker_worker")["DOCKER_HOST"] == "unix:///state/run/docker.sock"


@pytest.mark.parametrize("part", environment.SECRETS)
def test_a_stranger_of_the_shell_is_not_passed_on(part: str) -> None:
    assert "canary" not in of(part).values()


def test_a_secret_that_a_person_set_wins() -> None:
    assert of("web", SECRET_KEY="chosen")["SECRET_KEY"] == "chosen"
    assert "SECRET_KEY_FILE" not in of("web", SECRET_KEY="chosen")
    assert of("signing_worker", MASTER_KEY_FILE="/run/m")["MASTER_KEY_FILE"] == "/run/m"


def test_pages_answer_to_a_persons_names_and_to_us() -> None:
    assert of("web")["ALLOWED_HOSTS"] == "trust.example,127.0.0.1,localhost"


def test_the_part_that_verifies_keeps_its_memory() -> None:
    """What glibc reads when a process starts; it gives nothing back before that much is free."""
    assert environment.KEPT_MEMORY.items() <= of("signing_worker").items()
    assert not environment.KEPT_MEMORY.keys() & of("web").keys()
