"""Look at what this worker reaches, and write what was found (`signing.health`)."""

from __future__ import annotations

import socket
from pathlib import Path

from django.conf import settings

from signing import health, local_health, queue
from signing.adapters import probes
from signing.health import Kind, Seen
from signing.models import Account, TrustServer
from signing.waiting_work import waiting_in

MOST_SERVERS = 200


def report_signing() -> None:
    """Report what the signing worker reaches: trust servers, the tables and the disk with its state."""
    _report(queue.SIGNING)


def report_docker() -> None:
    """Report what the docker worker reaches: its Engine, the registries and its disk."""
    _report(queue.DOCKER)


def report_notices() -> None:
    """Report that the notices worker works; what it sends to is told where it is sent."""
    _report(queue.NOTICES)


def look(queue_name: str) -> list[Seen]:
    """Look at everything that the worker of a queue reaches."""
    if queue_name == queue.SIGNING:
        return [*_servers(), _disk(queue_name), local_health.migrations("signing")]
    return [*_engine_and_registries(), _disk(queue_name)] if queue_name == queue.DOCKER else []


def _servers() -> list[Seen]:
    servers = list(TrustServer.objects.defer("password").order_by("name")[:MOST_SERVERS])
    database = local_health.database()
    looks = probes.all_at_once(lambda server: probes.trust_server(server.name, server.url, server.ca_pem), servers)
    clocks = {f"the trust server {look.seen.which}": look.clock for look in looks if look.clock is not None}
    if (ahead := database.facts.get("clock_seconds")) is not None:
        clocks["the database"] = float(ahead)
    clock = local_health.clock(queue.SIGNING, clocks)
    return [*(look.seen for look in looks), *([clock] if clock else [])]


def _engine_and_registries() -> list[Seen]:
    hosts = sorted(set(Account.objects.order_by().values_list("registry", flat=True)))[:MOST_SERVERS]
    looks = probes.all_at_once(probes.registry, hosts)
    clocks = {f"the registry {look.seen.which}": look.clock for look in looks if look.clock is not None}
    own = (probes.engine(settings.DOCKER_HOST or None), probes.docker_command(), local_health.clock("docker", clocks))
    return [*(look.seen for look in looks), *(seen for seen in own if seen)]


def _disk(queue_name: str) -> Seen:
    return local_health.disk(queue_name, Path(settings.STATE_FOLDER))


def _report(queue_name: str) -> None:
    """Report what it reaches, and that this worker works; without a scheduler, also what waits for it."""
    who = health.worker(queue_name)
    facts = {"machine": socket.gethostname()}
    own = [Seen(Kind.WORKER, queue_name, health.title_of(who), sentence="It works.", facts=facts)]
    if settings.TRUSTUI_QUEUE != "rq":
        own.append(waiting_in(queue_name))
    health.report(who, [*own, *look(queue_name)])
