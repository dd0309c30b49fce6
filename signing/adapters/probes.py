"""Look at the parts that answer over a network: one short question each, under a deadline, several at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from signing.adapters.engine import Engine
from signing.adapters.outside_text import plain
from signing.adapters.registry_http import Connection
from signing.health import BROKEN, GOOD, WARNING, Kind, Seen
from signing.trust.errors import TrustError
from signing.trust.notary.http_client import LimitedClient, is_local, tls_context

PATIENCE = 4.0  # seconds for one question, whatever the other side does
MOST_AT_ONCE = 16
LARGEST = 64 * 1024
SLOW_MILLISECONDS = 2000
RENEW_WITHIN = timedelta(days=21)
PLUGIN = "docker-trust"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Look:
    """What one server's look found, and how far its clock is from ours, in seconds."""

    seen: Seen
    clock: float | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """One answer, how long it took, and what came along with it."""

    status: int
    body: bytes
    api: str
    milliseconds: float
    clock: float | None
    certificate_ends: datetime | None


def all_at_once(look: Callable[[Item], Look], items: Iterable[Item]) -> list[Look]:
    """Look at many at a time, so that slow ones take as long as one."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        return list(threads.map(look, list(items)))


def trust_server(name: str, url: str, ca_pem: str) -> Look:
    """Ask a Notary v1 server how it is; one without that address, whether it is there at all."""
    which, title = name, f"{Kind.TRUST_SERVER.label} {name}"
    try:
        heard = _ask(f"{url.rstrip('/')}/_notary_server/health", ca_pem or None)
        if heard.status not in (200, 503):
            heard = _ask(f"{url.rstrip('/')}/v2/", ca_pem or None)
    except TrustError as error:
        return Look(Seen(Kind.TRUST_SERVER, which, title, BROKEN, error.message, error.next_step))
    if heard.status == 503:
        said = "; ".join(_problems(heard.body)) or "it cannot serve now"
        step = "Look into the trust server's log, and whether its database and its keys are there."
        seen = Seen(Kind.TRUST_SERVER, which, title, BROKEN, f"It answers, but says: {said}.", step, _facts(heard))
        return Look(seen, heard.clock)
    if heard.status not in (200, 401):
        sentence = f"{url} answers with status {heard.status}, as no Notary v1 server does."
        step = "Check the address, and that no proxy answers in its place."
        return Look(Seen(Kind.TRUST_SERVER, which, title, BROKEN, sentence, step, _facts(heard)), heard.clock)
    return _fine(Kind.TRUST_SERVER, which, title, heard)


def registry(host: str) -> Look:
    """Ask a registry whether it is one; a login is not needed for that."""
    title = f"{Kind.REGISTRY.label} {host}"
    try:
        connection = Connection(host, None)
        address = str(connection.base.join("/v2/"))
        connection.close()
        heard = _ask(address)
    except TrustError as error:
        step = "Check the registry's address, and that it runs."
        return Look(Seen(Kind.REGISTRY, host, title, BROKEN, error.message, step))
    if heard.status not in (200, 401) or not (heard.api or heard.status == 401 or heard.body.strip() == b"{}"):
        sentence = f"{host} answers with status {heard.status}, as no registry does."
        step = "Check the address, and that no proxy answers in its place."
        return Look(Seen(Kind.REGISTRY, host, title, BROKEN, sentence, step, _facts(heard)), heard.clock)
    return _fine(Kind.REGISTRY, host, title, heard)


def engine(address: str | None) -> Seen:
    """Ask the Docker Engine for its version."""
    started = time.perf_counter()
    title = str(Kind.ENGINE.label)
    try:
        with Engine(address, patience=PATIENCE) as asked:
            version, api = asked.version()
    except TrustError as error:
        return Seen(Kind.ENGINE, "", title, BROKEN, error.message, error.next_step)
    took = _since(started)
    facts = {"version": version, "api_version": api, "milliseconds": took}
    sentence = f"Version {version} answers in {took:.0f} ms."
    if took > SLOW_MILLISECONDS:
        return Seen(Kind.ENGINE, "", title, WARNING, sentence, "Look what keeps the machine of the Engine busy.", facts)
    return Seen(Kind.ENGINE, "", title, GOOD, sentence, facts=facts)


def docker_command() -> Seen | None:
    """Tell the docker command's version on this machine and whether it has `docker trust`; None where there is none."""
    program = shutil.which("docker")
    if program is None:
        return None
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    version = plain(said.stdout.removeprefix("Docker version ").partition(",")[0], 60)
    major = version.partition(".")[0]
    has_plugin = any((folder / PLUGIN).exists() for folder in _plugin_folders())
    facts = {"version": version, "has_plugin": has_plugin}
    title = str(Kind.DOCKER_CLI.label)
    if major.isdecimal() and int(major) >= 29 and not has_plugin:
        sentence = f"Version {version} has no content trust any more."
        step = "`trustctl plugin install` brings `docker trust` back."
        return Seen(Kind.DOCKER_CLI, "", title, WARNING, sentence, step, facts)
    return Seen(Kind.DOCKER_CLI, "", title, GOOD, f"Version {version}.", facts=facts)


def _fine(kind: Kind, which: str, title: str, heard: _Heard) -> Look:
    sentence = f"It answers in {heard.milliseconds:.0f} ms."
    seen = Seen(kind, which, title, GOOD, sentence, facts=_facts(heard))
    if heard.certificate_ends and heard.certificate_ends - datetime.now(UTC) < RENEW_WITHIN:
        days = (heard.certificate_ends - datetime.now(UTC)).days
        sentence = f"Its TLS certificate ends in {days} day{'' if days == 1 else 's'}."
        step = "Renew the certificate and restart the server; tell its new authority here if that changes."
        seen = Seen(kind, which, title, WARNING, sentence, step, _facts(heard))
    elif heard.milliseconds > SLOW_MILLISECONDS:
        seen = Seen(kind, which, title, WARNING, sentence, "Look what keeps it, or the way to it, busy.", _facts(heard))
    return Look(seen, heard.clock)


def _ask(url: str, ca_pem: str | None = None) -> _Heard:
    client = LimitedClient(tls_context(ca_pem), timeout=PATIENCE, through_proxies=not is_local(url))
    started, asked_at = time.perf_counter(), datetime.now(UTC)
    try:
        answer = client.request("GET", url, limit=LARGEST)
        ends = client.certificate_ends()
    finally:
        client.close()
    took = _since(started)
    middle = asked_at + timedelta(milliseconds=took / 2)
    return _Heard(
        status=answer.status,
        body=answer.body,
        api=answer.headers.get("Docker-Distribution-Api-Version"),
        milliseconds=took,
        clock=_ahead(answer.headers.get("Date"), middle),
        certificate_ends=ends,
    )


def _ahead(date: str, now: datetime) -> float | None:
    """Tell how many seconds a server's Date is ahead of ours; it counts whole seconds, so up to one is nothing."""
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    seconds = (theirs.replace(tzinfo=theirs.tzinfo or UTC) - now).total_seconds()
    return 0.0 if -1.5 < seconds < 0.5 else seconds


def _facts(heard: _Heard) -> dict[str, object]:
    facts: dict[str, object] = {"milliseconds": heard.milliseconds, "status": heard.status}
    if heard.certificate_ends:
        facts["certificate_ends"] = heard.certificate_ends.isoformat()
    return facts


def _problems(body: bytes) -> list[str]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    return [plain(str(text), 200) for text in found.values()] if isinstance(found, dict) else []


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _plugin_folders() -> list[Path]:
    system = ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
    return [Path.home() / ".docker/cli-plugins", *(Path(place) / "docker/cli-plugins" for place in system)]
