"""The trust core beside `docker trust`, both against the same real notary-server."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from signing.trust.notary.cache import FileCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.inspect import describe, to_json
from signing.trust.notary.transport import HttpsTransport
from tests.bench.pairs import Figure, compare
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_server import NotaryServer
from tests.parts.ours import OurClient

INSPECTED_TAGS = 10
SIGNED_TAGS = 100
SIGNING_PAIRS = 3
MANIFEST_BYTES = 528


def inspect_resident(ours: OurClient, docker: DockerCli, server: NotaryServer) -> Figure:
    """Inspect 10 tags, verified against the server each time; ours is a process that is up, as the worker is."""
    gun = f"{docker.registry}/bench/inspect"
    ours.add_signer("alice", ours.generate_key("alice"), gun)
    ours.sign(gun, _tags(INSPECTED_TAGS))
    name = Gun.parse(gun)
    with HttpsTransport(server.url, ca_pem=server.ca_pem) as transport:
        cache = FileCache(ours.trust_dir, name)

        def inspect() -> str:
            return to_json([describe(refresh(name, transport, cache), gun)])

        if inspect() != docker.inspect(gun).succeeded().stdout:  # warms both caches, and compares like with like
            raise SystemExit("The two programs do not print the same; there is nothing to compare.")
        return compare(
            f"verified inspect, {INSPECTED_TAGS} tags, resident",
            ours=inspect,
            peer=lambda: docker.inspect(gun).succeeded(),
            peer_name="docker trust inspect",
            runs=15,
        )


def sign_many(ours: OurClient, docker: DockerCli) -> Figure:
    """Let a second signer sign 100 released tags: one publish of ours, 100 runs of docker's command.

    The tags are released already, so docker signs the recorded digests and pushes no image: the work is the same.
    """
    tags = _tags(SIGNED_TAGS)
    publics = {name: ours.generate_key(name) for name in ("alice", "bob")}
    alice, bob = (_alone(ours, name) for name in publics)
    _give_key(ours, docker.private_dir, "bob")

    def prepare(number: int) -> str:
        gun = f"{docker.registry}/bench/sign-{number}"
        for name, public in publics.items():
            ours.add_signer(name, public, gun)
        alice.sign(gun, tags)
        bob.refresh(gun)
        return gun

    guns = [prepare(number) for number in range(2 * SIGNING_PAIRS)]
    for_ours, for_docker = iter(guns[::2]), iter(guns[1::2])

    def sign_one_by_one() -> None:
        gun = next(for_docker)
        for tag in tags:
            docker.sign(f"{gun}:{tag}").succeeded()

    figure = compare(
        f"sign {SIGNED_TAGS} tags",
        ours=lambda: bob.sign(next(for_ours), tags),
        peer=sign_one_by_one,
        peer_name=f"{SIGNED_TAGS} docker trust sign",
        runs=SIGNING_PAIRS,
    )
    for gun in guns:
        _require_both(docker, gun)
    return figure


def _tags(count: int) -> dict[str, tuple[str, int]]:
    return {
        f"1.{number}": (hashlib.sha256(f"{number}".encode()).hexdigest(), MANIFEST_BYTES) for number in range(count)
    }


def _alone(owner: OurClient, name: str) -> OurClient:
    """Give a client that holds the key of `name` and no other."""
    alone = OurClient(owner.home.with_name(f"ours-of-{name}"), owner.url, owner.ca_pem)
    _give_key(owner, alone.private_dir, name)
    return alone


def _give_key(owner: OurClient, folder: Path, role: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (key_id,) = (info.key_id for info in owner.keystore.list() if info.role == role)
    shutil.copy2(owner.private_dir / f"{key_id}.key", folder)


def _require_both(docker: DockerCli, gun: str) -> None:
    rows = docker.described(gun)["SignedTags"]
    if len(rows) != SIGNED_TAGS or any(sorted(row["Signers"]) != ["alice", "bob"] for row in rows):
        raise SystemExit(f"Not every tag of {gun} carries both signatures; the figure would be worthless.")
