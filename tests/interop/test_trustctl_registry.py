"""`trustctl sign` without a digest asks the registry, and signs what it has."""

from __future__ import annotations

from tests.parts.docker_cli import DockerCli
from tests.parts.trustctl import TrustCtl


def test_docker_pulls_what_was_signed_by_its_tag_alone(trustctl: TrustCtl, docker_cli: DockerCli, gun: str) -> None:
    digests = {}
    for tag in ("v1", "v2"):
        docker_cli.make_image(f"{gun}:{tag}", tag)
        digests[tag] = docker_cli.push(f"{gun}:{tag}")
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()
    trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", gun).succeeded()

    trustctl.run("sign", f"{gun}:v1", f"{gun}:v2").succeeded()

    for tag, digest in digests.items():
        assert trustctl.run("verify", f"{gun}:{tag}").succeeded().stdout == f"sha256:{digest}\n"
        docker_cli.forget_image(f"{gun}:{tag}")
        docker_cli.pull_trusted(f"{gun}:{tag}").succeeded()


def test_a_tag_the_registry_does_not_have_is_not_signed(trustctl: TrustCtl, docker_cli: DockerCli, gun: str) -> None:
    docker_cli.make_image(f"{gun}:v1", "v1")
    docker_cli.push(f"{gun}:v1")
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()
    trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", gun).succeeded()

    refused = trustctl.run("sign", f"{gun}:v1", f"{gun}:absent").failed()

    assert f"has no {gun.partition('/')[2]}:absent" in refused.stderr
    trustctl.run("verify", f"{gun}:v1").failed()  # all or nothing: v1 is not signed either


def test_an_image_is_signed_by_its_digest_whatever_the_tag_means_now(
    trustctl: TrustCtl, docker_cli: DockerCli, gun: str
) -> None:
    digests = []
    for content in ("older", "newer"):
        docker_cli.make_image(f"{gun}:v1", content)
        digests.append(docker_cli.push(f"{gun}:v1"))
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()
    trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", gun).succeeded()

    trustctl.run("sign", f"{gun}:v1", "--digest", f"sha256:{digests[0]}").succeeded()

    assert trustctl.run("verify", f"{gun}:v1").succeeded().stdout == f"sha256:{digests[0]}\n"
    docker_cli.pull_trusted(f"{gun}:v1").succeeded()
