"""Look at what this worker reaches, and write what was found (`signing.health`)."""

from __future__ import annotations

import os
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
    found, clocks = _servers()
    database = local_health.database()
    if (skew := database.facts.get("clock_seconds")) is not None:
        clocks["the database"] = float(skew)
    tables = local_health.migrations("signing")
    _report(queue.SIGNING, [*found, local_health.clock(queue.SIGNING, clocks), _disk(queue.SIGNING), tables])


def report_docker() -> None:
    """Report what the docker worker reaches: its Engine, the registries and its disk."""
    hosts = sorted(set(Account.objects.order_by().values_list("registry", flat=True)))[:MOST_SERVERS]
    looks = probes.all_at_once(probes.registry, hosts)
    clocks = {f"the registry {look.seen.which}": look.clock for look in looks if look.clock is not None}
    found = [look.seen for look in looks]
    engine, command = probes.engine(settings.DOCKER_HOST or None), probes.docker_command()
    _report(queue.DOCKER, [*found, engine, command, local_health.clock(queue.DOCKER, clocks), _disk(queue.DOCKER)])


def report_notices() -> None:
    """Report that the notices worker works; what it sends to is told where it is sent."""
    _report(queue.NOTICES, [])


def _servers() -> tuple[list[Seen], dict[str, float]]:
    servers = list(TrustServer.objects.defer("password").order_by("name")[:MOST_SERVERS])
    looks = probes.all_at_once(lambda server: probes.trust_server(server.name, server.url, server.ca_pem), servers)
    clocks = {f"the trust server {look.seen.which}": look.clock for look in looks if look.clock is not None}
    return [look.seen for look in looks], clocks


def _disk(queue_name: str) -> Seen:
    return local_health.disk(queue_name, Path(settings.STATE_FOLDER))


def _report(queue_name: str, found: list[Seen | None]) -> None:
    """Report it, and that this worker works; without a scheduler, also what waits for it."""
    facts = {"machine": socket.gethostname(), "process": os.getpid()}
    title = health.title_of(health.worker(queue_name))
    own = [Seen(Kind.WORKER, queue_name, title, sentence="It works.", facts=facts)]
    if settings.TRUSTUI_QUEUE != "rq":
        own.append(waiting_in(queue_name))
    health.report(health.worker(queue_name), [*own, *(seen for seen in found if seen)])
