"""Tell Docker whether a part of our image does its work. It runs inside the part's container, so it stays small."""

from __future__ import annotations

import os
import socket
import ssl
import urllib.request
from pathlib import Path

from trustui.stack.addresses import Addresses

PATIENCE = 5


def main(addresses: Addresses, part: str) -> int:
    """Return 0 if this container's part is well."""
    if part == "web":
        return _answers(f"{'http' if addresses.is_local else 'https'}://127.0.0.1:8000/healthz")
    if part == "trust-server":
        return _answers("https://127.0.0.1:4443/_notary_server/health")
    return _is_registered(part)


def _answers(url: str) -> int:
    context = ssl.create_default_context(cafile="/secrets/ca.pem") if url.startswith("https") else None
    with urllib.request.urlopen(url, context=context, timeout=PATIENCE) as answer:  # noqa: S310  our own address
        return 0 if answer.status == 200 else 1


def _is_registered(part: str) -> int:
    """Look whether Redis hears from this container's worker; what falls silent is forgotten there."""
    from redis import Redis
    from rq import Worker
    from rq.cron import CronScheduler

    with Redis.from_url(Path(os.environ["REDIS_URL_FILE"]).read_text(), socket_timeout=PATIENCE) as connection:
        known = CronScheduler.all(connection) if part == "scheduler" else Worker.all(connection=connection)
    return 0 if socket.gethostname() in {one.hostname for one in known} else 1
