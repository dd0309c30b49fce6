"""Writing with the trust core beside `docker trust` and `notary`, both against the same server.

That is the real notary-server, and for a long list the built-in server, too: notary-server takes longer to accept a
long list than our client takes for everything else. Rows that begin with "of it" say how much of a time is the server's
own; their ratio is what a client would reach that takes no time at all.

Ours runs in this process, as it does in the worker, with a new connection each time; the peers are commands. Each run
of either has a repository or a tag of its own, so that there is always something to do.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from signing.trust.notary.transport import Transport
from signing.trust.tuf.metadata import Target
from tests.bench.content import tags
from tests.bench.pairs import Figure, compare
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli
from tests.parts.ours import OurClient
from tests.parts.programs import require_program

BATCHES = {100: 100, 1_000: 20}
"""How many tags one publish signs, and how many of them docker's command signs to be timed."""

BIG = 10_000
PAIRS = 3


def measure(ours: OurClient, docker: DockerCli) -> list[Figure]:
    """Sign, add to a big repository, and change signers, keys and tags."""
    publics = {name: ours.generate_key(name) for name in ("alice", "bob", "carol")}
    for key in ours.private_dir.iterdir():  # docker's own passphrases open them
        docker.private_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy2(key, docker.private_dir)
    return [
        *(_sign_many(ours, docker, publics, many, sample) for many, sample in BATCHES.items()),
        *_one_more(ours, docker, publics["alice"], "notary-server"),
        *_verbs(ours, docker, publics),
    ]


def measure_on_builtin(ours: OurClient, docker: DockerCli) -> list[Figure]:
    """Add to a big repository on the built-in server."""
    return _one_more(ours, docker, ours.generate_key("alice"), "built-in server")


def _sign_many(ours: OurClient, docker: DockerCli, publics: dict[str, Path], many: int, sample: int) -> Figure:
    """Let a second signer sign many released tags: one publish of ours, and as many runs of docker's command.

    The tags are released already, so docker signs the recorded digests and pushes no image: the work is the same.
    Where only a sample of docker's runs is timed, its time is multiplied and the row says so.
    """
    alice, bob = (_alone(ours, name) for name in ("alice", "bob"))
    docker_bob = replace(docker, home=docker.home.with_name("docker-of-bob"))
    _give_key(ours, docker_bob.private_dir, "bob")

    def prepare(number: int) -> str:
        gun = f"{docker.registry}/bench/sign-{many}-{number}"
        for name in ("alice", "bob"):
            ours.add_signer(name, publics[name], gun)
        alice.sign(gun, tags(many))
        bob.refresh(gun)
        return gun

    guns = [prepare(number) for number in range(2 * PAIRS)]
    for_ours, for_docker = iter(guns[::2]), iter(guns[1::2])

    def sign_one_by_one() -> None:
        gun = next(for_docker)
        for tag in itertools.islice(tags(many), sample):
            docker_bob.sign(f"{gun}:{tag}").succeeded()

    times = many // sample
    measured = f" ({sample} measured, times {times})" if times > 1 else ""
    figure = compare(
        f"sign {many:,} tags in one publish",
        ours=lambda: bob.sign(next(for_ours), tags(many)),
        peer=sign_one_by_one,
        peer_name=f"{many:,} docker trust sign{measured}",
        runs=PAIRS,
    )
    return replace(figure, peer=round(figure.peer * times, 3), ratio=round(figure.ratio * times, 1))


def _one_more(ours: OurClient, docker: DockerCli, public: Path, server: str) -> list[Figure]:
    """Sign one more tag where 10,000 are: two roles of a megabyte each to read, change, sign, send and read back."""
    gun = f"{docker.registry}/bench/big"
    ours.add_signer("alice", public, gun)
    ours.sign(gun, tags(BIG))
    notary = _notary(ours, f"big-{server}")
    fresh = (tags(1, number) for number in itertools.count(BIG))
    stopwatch = _Stopwatch()

    def add() -> None:
        ((tag, (digest, size)),) = next(fresh).items()
        with ours.repository(gun, stopwatch.on) as repository:
            repository.sign([Target.from_digest(tag, digest, size)])

    def add_by_notary() -> None:
        ((tag, (digest, size)),) = next(fresh).items()
        roles = ("-r", "targets/releases", "-r", "targets/alice")
        notary.run("addhash", gun, tag, str(size), "--sha256", digest, "-p", *roles).succeeded()

    ours.refresh(gun)
    notary.run("list", gun).succeeded()
    figure = compare(
        f"sign one more tag on {BIG:,}, {server}",
        ours=add,
        peer=add_by_notary,
        peer_name="notary addhash -p",
        runs=PAIRS,
    )
    return [figure, stopwatch.share_of(figure, "the server's work")]


def _verbs(ours: OurClient, docker: DockerCli, publics: dict[str, Path]) -> Iterator[Figure]:
    gun = f"{docker.registry}/bench/verbs"
    ours.add_signer("alice", publics["alice"], gun)
    ours.sign(gun, tags(4 * PAIRS))
    for key in ours.private_dir.iterdir():  # the repository's own key was made just now
        shutil.copy2(key, docker.private_dir)
    notary = _notary(ours, "verbs")
    names = (f"signer{number}" for number in itertools.count())
    yield compare(
        "signer add",
        ours=lambda: ours.add_signer(next(names), publics["bob"], gun),
        peer=lambda: docker.add_signer(next(names), publics["carol"], gun).succeeded(),
        peer_name="docker trust signer add",
        runs=PAIRS,
    )
    released = iter(tags(4 * PAIRS))

    def revoke() -> None:
        with ours.repository(gun) as repository:
            repository.revoke([next(released)])

    yield compare(
        "revoke a tag",
        ours=revoke,
        peer=lambda: docker.run("trust", "revoke", f"{gun}:{next(released)}").succeeded(),
        peer_name="docker trust revoke",
        runs=PAIRS,
    )

    stopwatch = _Stopwatch()

    def rotate() -> None:
        with ours.repository(gun, stopwatch.on) as repository:
            repository.rotate("snapshot", to_server=True)

    rotation = compare(
        "rotate the snapshot key",
        ours=rotate,
        peer=lambda: notary.rotate(gun, "snapshot", to_server=True).succeeded(),
        peer_name="notary key rotate snapshot -r",
        runs=PAIRS,
    )
    yield from (rotation, stopwatch.share_of(rotation, "the server's work"))


class _Stopwatch:
    """Notes how long the server takes for what only the server does: to accept an update, and to make a key."""

    def __init__(self) -> None:
        self.runs: list[float] = []

    def on(self, transport: Transport) -> Transport:
        """Watch one run."""
        self.runs.append(0)
        return cast(Transport, _Watched(transport, self))

    def time(self, work: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        done = work(*arguments)
        self.runs[-1] += time.perf_counter() - started
        return done

    def share_of(self, figure: Figure, what: str) -> Figure:
        """Give what the server took of a figure's time."""
        share = statistics.median(self.runs)
        ratio = round(figure.peer / share, 1)
        return replace(figure, name=f"  of it {what}", ours=round(share, 6), ratio=ratio)


class _Watched:
    """A transport under a stopwatch."""

    def __init__(self, transport: Transport, stopwatch: _Stopwatch) -> None:
        self._transport = transport
        self._stopwatch = stopwatch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._transport, name)
        return partial(self._stopwatch.time, found) if name in ("post", "rotate_key") else found


def _notary(ours: OurClient, name: str) -> NotaryCli:
    """Give a notary command with ours' keys and a memory of its own."""
    folder = ours.home.with_name(f"notary-{name}")
    shutil.copytree(ours.private_dir, folder / "private")
    authority = folder / "authority.pem"
    authority.write_text(ours.ca_pem)
    return NotaryCli(require_program("notary"), folder, ours.url, authority)


def _alone(owner: OurClient, name: str) -> OurClient:
    """Give a client that holds the key of `name` and no other."""
    alone = OurClient(owner.home.with_name(f"ours-of-{name}"), owner.url, owner.ca_pem)
    _give_key(owner, alone.private_dir, name)
    return alone


def _give_key(owner: OurClient, folder: Path, role: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (key_id,) = (info.key_id for info in owner.keystore.list() if info.role == role)
    shutil.copy2(owner.private_dir / f"{key_id}.key", folder)
