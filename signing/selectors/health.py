"""The parts of the installation that concern a person, and how they are."""

from __future__ import annotations

from signing import health, local_health
from signing.health import Kind, Part, Seen
from signing.models import User
from signing.permissions import may
from signing.selectors.accounts import visible_accounts
from signing.selectors.trust_servers import visible_trust_servers

FOR_EVERYBODY = frozenset({Kind.BROKER, Kind.SCHEDULER, Kind.WORKER, Kind.QUEUE, Kind.ENGINE})


def visible_parts(user: User) -> list[Part]:
    """List the parts a person's work goes through; who reads everything sees all, and the tables and disks too."""
    listed = health.parts()
    if may(user, "read_health"):
        return [_seen_here(local_health.database()), _seen_here(local_health.migrations()), *listed]
    servers = set(visible_trust_servers(user).values_list("name", flat=True))
    registries = set(visible_accounts(user).order_by().values_list("registry", flat=True))
    mine = {Kind.TRUST_SERVER: servers, Kind.REGISTRY: registries}
    return [part for part in listed if part.kind in FOR_EVERYBODY or part.which in mine.get(part.kind, ())]


def broken_parts(user: User) -> list[Part]:
    """List those that do not work now, or are silent."""
    return [part for part in visible_parts(user) if part.state in (health.BROKEN, health.UNKNOWN)]


def _seen_here(seen: Seen) -> Part:
    """Give what this process saw by itself, just now."""
    return Part(seen.name, seen.kind, seen.title, seen.state, seen.sentence, seen.next_step, seen.facts)
