"""The built-in trust server, as `manage.py trustserver` runs it, beside notary-server on the same PostgreSQL."""

from __future__ import annotations

import contextlib
import http.client
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench.load import Client, Rate, Server, publish_all, read_for, tags
from tests.bench.pairs import Figure, compare
from tests.parts.notary_server import SERVER_SCHEMA, SIGNER_SCHEMA, NotaryServer, Storage
from tests.parts.standalone_server import StandaloneServer
from tests.parts.stores import Postgres

PEER = "notary-server"
PAIRS = 5
READ_SECONDS = 2
READ_TAGS = 50
PUBLISHES = 100
LARGE_ROLE = 10_000
SIGNS = int(os.environ.get("BENCH_SIGNS", "1000"))
PUBLISHES_EACH = int(os.environ.get("BENCH_PUBLISHES", "30"))
"""Of each of 32 clients; the rate is steady, so the thousand of the goal only takes longer."""
CROWD = 32
MOST_PEER_CRASHES = 5

_OUR_TABLES = ("trust_server_collection", "trust_server_metadatafile", "trust_server_change")
_PEER_TABLES = ("tuf_files", "changefeed")


@dataclass(frozen=True, slots=True)
class Servers:
    """The two and their databases."""

    ours: StandaloneServer
    peer: NotaryServer
    our_database: str
    peer_database: str


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Run both, each on a database of its own in the same PostgreSQL."""
    with contextlib.ExitStack() as running:
        postgres = Postgres(folder / "postgres" / "cluster").start()
        running.callback(postgres.stop)
        our_database = postgres.create_database("ours")
        peer_database = postgres.create_database("peer", SERVER_SCHEMA)
        for name in ("ours", "peer"):
            (folder / name).mkdir()
        ours = StandaloneServer(folder / "ours", our_database)
        storage = Storage(peer_database, postgres.create_database("peersigner", SIGNER_SCHEMA))
        peer = NotaryServer(folder / "peer", storage)
        for server in (ours, peer):
            running.callback(server.stop)
            server.start()
        yield Servers(ours, peer, our_database, peer_database)


def measure(folder: Path) -> list[Figure]:
    """Measure everything, reading first."""
    with servers(folder) as both:
        return [*_reading(both), *_publishing(both), _large_role(both), _crowd(both), _stored_bytes(both)]


def _reading(both: Servers) -> Iterator[Figure]:
    with Client(both.ours) as ours, Client(both.peer) as peer:
        for client in (ours, peer):
            client.publish(client.signed([1], tags(READ_TAGS))[0])
        for role in ("timestamp", "snapshot", "targets/releases"):
            for connections in (8, 32):
                yield from _read(role, connections, (both.ours, ours), (both.peer, peer))


def _read(role: str, connections: int, ours: tuple[Server, Client], peer: tuple[Server, Client]) -> Iterator[Figure]:
    def once(side: tuple[Server, Client]) -> Rate:
        return read_for(READ_SECONDS, side[0], f"{side[1].path}{role}.json", connections)

    pairs = [(once(ours), once(peer)) for _ in range(PAIRS)]
    if errors := sum(our_rate.errors for our_rate, _ in pairs):
        raise SystemExit(f"{errors} errors when {role} was read on {connections} connections.")
    what = f"GET {role}, {connections} connections"
    yield _more_is_better(f"{what}: requests", "/s", [(one.per_second, other.per_second) for one, other in pairs])
    yield _less_is_better(f"{what}: p99", "ms", [(one.p99, other.p99) for one, other in pairs])


def _publishing(both: Servers) -> Iterator[Figure]:
    for count in (1, 2, 4):
        pairs = [(_published(both.ours, count), _published_by_peer(both.peer, count)) for _ in range(PAIRS)]
        yield _more_is_better(f"publish two roles of {READ_TAGS} tags, {count} clients", "/s", pairs)


def _published(server: Server, count: int, each: int = 0) -> float:
    """Give publishes per second. A first one of each client is not counted: it finds nothing in memory."""
    each = each or PUBLISHES // count
    with contextlib.ExitStack() as open_clients:
        clients = [open_clients.enter_context(Client(server)) for _ in range(count)]
        bodies = [client.signed(range(1, each + 2), tags(READ_TAGS)) for client in clients]
        for client in clients:
            client.close()  # signing all of it took longer than a server waits
        publish_all(clients, [mine[:1] for mine in bodies])
        return count * each / publish_all(clients, [mine[1:] for mine in bodies])


def _published_by_peer(peer: NotaryServer, count: int) -> float:
    """Give the same of notary-server, started anew where several publishers at once ended it."""
    for _ in range(MOST_PEER_CRASHES):
        try:
            return _published(peer, count)
        except (http.client.HTTPException, OSError) as error:
            print(f"{PEER} broke off with {count} publishers ({error!r}); it is started anew.", file=sys.stderr)
            peer.stop()
            peer.start()
    raise SystemExit(f"{PEER} did not get through {count} publishers once.")


def _large_role(both: Servers) -> Figure:
    def publisher(server: Server) -> tuple[Client, Callable[[], object]]:
        client = Client(server)
        bodies = iter(client.signed(range(1, PAIRS + 1), tags(LARGE_ROLE), ("targets/releases",)))
        return client, lambda: client.publish(next(bodies))

    (our_client, ours), (peer_client, peer) = publisher(both.ours), publisher(both.peer)
    with our_client, peer_client:
        return compare(f"publish a role of {LARGE_ROLE} tags", ours=ours, peer=peer, peer_name=PEER, runs=PAIRS)


def _crowd(both: Servers) -> Figure:
    """More clients than notary-server survives: it is measured at 4, where it has all it can take."""
    pairs = [(_published(both.ours, CROWD, PUBLISHES_EACH), _published_by_peer(both.peer, 4))]
    return _more_is_better(f"publish, {CROWD} clients x {PUBLISHES_EACH} (peer: 4 clients)", "/s", pairs)


def _stored_bytes(both: Servers) -> Figure:
    sizes = []
    for server, database, tables in (
        (both.ours, both.our_database, _OUR_TABLES),
        (both.peer, both.peer_database, _PEER_TABLES),
    ):
        before = _bytes_of(database, tables)
        with Client(server) as client:
            signed = tags(SIGNS)
            names = list(signed)
            for number in range(1, SIGNS + 1):
                client.publish(client.signed([number], {name: signed[name] for name in names[:number]})[0])
        sizes.append((_bytes_of(database, tables) - before) / 1e6)
    return _less_is_better(f"stored after {SIGNS} signs of one tag", "MB", [(sizes[0], sizes[1])])


def _bytes_of(database: str, tables: tuple[str, ...]) -> int:
    with psycopg.connect(database, autocommit=True) as connection:
        sizes = [connection.execute("SELECT pg_total_relation_size(%s)", (table,)).fetchone() for table in tables]
    return sum(int(size[0]) for size in sizes if size)


def _more_is_better(name: str, unit: str, pairs: list[tuple[float, float]]) -> Figure:
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Figure(name, round(ours, 1), round(peer, 1), unit, round(ours / peer, 1), PEER, len(pairs))


def _less_is_better(name: str, unit: str, pairs: list[tuple[float, float]]) -> Figure:
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Figure(name, round(ours, 2), round(peer, 2), unit, round(peer / ours, 1), PEER, len(pairs))
