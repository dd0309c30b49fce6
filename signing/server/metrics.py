"""What monitoring reads: notary-server's counters under their names, without its quantiles.

The server's processes count in files of a folder they share (`PROMETHEUS_MULTIPROC_DIR`, which `manage.py trustserver`
sets), so that whichever of them is asked answers for all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Summary, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPERATIONS = (
    "UpdateTUF",
    "GetRole",
    "GetRoleByHash",
    "GetRoleByVersion",
    "GetKey",
    "RotateKey",
    "DeleteTUF",
    "Changefeed",
)
_PREFIX = "notary_server_http"

_requests = Counter(f"{_PREFIX}_requests", "Total number of HTTP requests made.", ("code", "method", "operation"))
_duration = Summary(
    f"{_PREFIX}_request_duration_microseconds", "The HTTP request latencies in microseconds.", ("operation",)
)
_request_size = Summary(f"{_PREFIX}_request_size_bytes", "The HTTP request sizes in bytes.", ("operation",))
_response_size = Summary(f"{_PREFIX}_response_size_bytes", "The HTTP response sizes in bytes.", ("operation",))


@dataclass(frozen=True, slots=True)
class _Sizes:
    duration: Summary
    received: Summary
    sent: Summary


def observe(operation: str, method: str, status: int, seconds: float, received: int, sent: int) -> None:
    """Count one answered request; sizes are those of the bodies, in bytes."""
    _counter(str(status), method.lower(), operation).inc()
    sizes = _sizes(operation)
    sizes.duration.observe(seconds * 1e6)
    sizes.received.observe(received)
    sizes.sent.observe(sent)


def observe_hot(operation: str, status: int, seconds: float, sent: int = 0) -> None:
    """Count a read that was answered from memory."""
    observe(operation, "get", status, seconds, 0, sent)


def exposition() -> bytes:
    """Write everything counted so far, by all processes of this server, in Prometheus' text form."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry)


@cache
def _counter(code: str, method: str, operation: str) -> Counter:
    return _requests.labels(code, method, operation)


@cache
def _sizes(operation: str) -> _Sizes:
    return _Sizes(*(summary.labels(operation) for summary in (_duration, _request_size, _response_size)))


for _operation in OPERATIONS:
    _sizes(_operation)  # shown with 0 before the first request, as monitoring expects
