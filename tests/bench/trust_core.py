"""Reading with the trust core beside `docker trust inspect`, both against the same real notary-server."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from signing.trust.notary import client, reading
from signing.trust.notary.cache import FileCache, MemoryCache, TrustCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.inspect import image_json, images_json
from signing.trust.notary.transport import HttpsTransport
from tests.bench.content import tags
from tests.bench.pairs import Figure, compare, compare_with_cpu
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_server import NotaryServer
from tests.parts.ours import OurClient
from tests.parts.trustctl import TrustCtl

PEER = "docker trust inspect"
SIZES = {1: 11, 10: 11, 100: 11, 1_000: 5, 10_000: 5}
"""How many tags, and how many pairs of runs."""


def measure(ours: OurClient, docker: DockerCli, server: NotaryServer) -> list[Figure]:
    """Inspect repositories of several sizes: cold, unchanged, and by a process of its own."""
    public = ours.generate_key("alice")
    figures: list[Figure] = []
    for size, runs in SIZES.items():
        gun = f"{docker.registry}/bench/inspect-{size}"
        ours.add_signer("alice", public, gun)
        ours.sign(gun, tags(size))
        if size != 1_000:
            figures += _resident(ours, docker, gun, f"{size:,} tags", runs)
        if size >= 1_000:
            figures.append(_fresh(ours, docker, server, gun, f"{size:,} tags", runs))
    return figures


def _resident(ours: OurClient, docker: DockerCli, gun: str, what: str, runs: int) -> list[Figure]:
    """Inspect in this process, which is up and connected as the worker is."""
    with _inspector(ours, gun) as inspect:
        _require_the_same(inspect(MemoryCache()), docker, gun)
        figures = compare_with_cpu(
            f"cold verified inspect, {what}, resident",
            ours=lambda: inspect(MemoryCache()),
            peer=lambda: docker.inspect(gun).succeeded(),
            peer_name=PEER,
            runs=runs,
            before_each=lambda: _forget(docker),
        )
        cache = FileCache(ours.trust_dir, Gun.parse(gun))
        inspect(cache)
        unchanged = compare_with_cpu(
            f"unchanged verified inspect, {what}, resident",
            ours=lambda: inspect(cache),
            peer=lambda: docker.inspect(gun).succeeded(),
            peer_name=PEER,
            runs=runs,
        )
    return [*figures, unchanged[0]]


@contextmanager
def _inspector(ours: OurClient, gun: str) -> Iterator[Callable[[TrustCache], str]]:
    name = Gun.parse(gun)
    with HttpsTransport(ours.url, ca_pem=ours.ca_pem) as transport:

        def inspect(cache: TrustCache) -> str:
            return images_json([image_json(refresh(name, transport, cache), gun)])

        yield inspect


def _forget(docker: DockerCli) -> None:
    """Let both know nothing of any repository; connections stay, as they do in a process that is up."""
    client.resident.clear()
    for kept in (reading._kept_envelope, reading._kept_content, reading._require_signed_once):
        kept.cache_clear()
    shutil.rmtree(docker.trust_dir / "tuf", ignore_errors=True)
    gc.collect()  # what earlier runs left is not this one's work


def _fresh(ours: OurClient, docker: DockerCli, server: NotaryServer, gun: str, what: str, runs: int) -> Figure:
    """Inspect by `trustctl`, a process of its own that has to load first, and remembers as docker does."""
    trustctl = TrustCtl(ours.home.with_name("trustctl"), server.url, server.ca_file)
    _require_the_same(trustctl.run("inspect", gun).succeeded().stdout, docker, gun)
    return compare(
        f"trustctl inspect, {what}",
        ours=lambda: trustctl.run("inspect", gun).succeeded(),
        peer=lambda: docker.inspect(gun).succeeded(),
        peer_name=PEER,
        runs=runs,
    )


def _require_the_same(text: str, docker: DockerCli, gun: str) -> None:
    if text != docker.inspect(gun).succeeded().stdout:
        raise SystemExit("The two programs do not print the same; there is nothing to compare.")
