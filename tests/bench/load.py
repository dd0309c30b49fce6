"""Load for a trust server that costs little itself: wrk for reading, files signed beforehand for publishing."""

from __future__ import annotations

import hashlib
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from signing.trust.notary.transport import multipart
from signing.trust.tuf.metadata import Target
from tests.parts.programs import require_program
from tests.parts.raw_client import BOUNDARY, RawClient, Server, new_gun

MANIFEST_BYTES = 528
SIGNER_ROLES = ("targets/alice", "targets/releases")

_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Rate:
    """What wrk found out; `errors` are answers other than 200 and broken connections."""

    per_second: float
    p99: float
    errors: int


def read_for(seconds: int, server: Server, path: str, connections: int) -> Rate:
    """Ask for one address as fast as the server answers, on connections that stay open."""
    argv = [require_program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", server.url + path]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", said)
    assert rate is not None, said
    assert p99 is not None, said
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = [int(number) for found in (failed, broken) if found for number in found.groups()]
    return Rate(float(rate[1]), float(p99[1]) * _MILLISECONDS[p99[2]], sum(errors))


class Client(RawClient):
    """One publisher with a repository of its own."""

    def __init__(self, server: Server) -> None:
        super().__init__(server, new_gun())
        self.publisher = self.owner()
        self.publish(multipart(self.publisher.first(), BOUNDARY))

    def signed(
        self, versions: Iterable[int], targets: Mapping[str, Target], roles: Sequence[str] = SIGNER_ROLES
    ) -> list[bytes]:
        """Sign what one more signature by alice is: her role and the releases, both with these tags."""
        updates = (
            {role: self.publisher.tags(version=version, targets=targets) for role in roles} for version in versions
        )
        return [multipart(update, BOUNDARY) for update in updates]

    def publish(self, body: bytes) -> None:
        """Send one update; anything but its acceptance ends the bench."""
        answer = self.send(body)
        if answer.status != 200:
            raise SystemExit(f"A publish was answered with {answer.status}: {answer.body[:300]!r}")


def tags(count: int) -> dict[str, Target]:
    """Give as many tags, each with a digest of its own."""
    names = [f"1.{number}" for number in range(count)]
    return {name: Target.from_digest(name, hashlib.sha256(name.encode()).hexdigest(), MANIFEST_BYTES) for name in names}


def publish_all(clients: Sequence[Client], bodies: Sequence[Sequence[bytes]]) -> float:
    """Let each client publish its updates one after the other, all at the same time, and give the seconds it took."""
    problems: list[BaseException] = []

    def work(client: Client, mine: Sequence[bytes]) -> None:
        try:
            for body in mine:
                client.publish(body)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(clients, bodies, strict=True)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    if problems:
        raise problems[0]
    return took
