"""Run the built-in trust server alone: HTTPS, its limits, and who may come in."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from signing.server import hsm
from signing.server.auth import doorkeeper_of
from signing.server.names import is_prefix
from signing.server.online_keys import check_master_key
from signing.trust.errors import TokenUnavailable
from signing.trust.notary.tokens import is_loopback
from trustui.settings.environment import BASE_DIR, VAR

LONGEST_HEADERS = 64 * 1024
HEADER_MILLISECONDS = 10_000


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:4443", metavar="HOST:PORT", help="default 127.0.0.1:4443")
        parser.add_argument("--tls-cert", type=Path, required=True, metavar="FILE", help="certificate and chain, PEM")
        parser.add_argument("--tls-key", type=Path, required=True, metavar="FILE", help="its key, PEM (PKCS#8)")
        parser.add_argument(
            "--client-ca", type=Path, metavar="FILE", help="let in only clients with a certificate of this CA"
        )
        parser.add_argument("--auth", choices=("none", "token"), required=True, help="who may come in")
        parser.add_argument("--auth-realm", default="", metavar="URL", help="where clients get tokens")
        parser.add_argument("--auth-service", default="notary", metavar="NAME", help="default notary")
        parser.add_argument("--auth-issuer", default="trustui", metavar="NAME", help="default trustui")
        parser.add_argument("--auth-bundle", default="", metavar="FILE", help="certificates of the issuer, PEM")
        parser.add_argument("--anonymous-pull", action="store_true", help="everybody may read")
        parser.add_argument(
            "--gun-prefix",
            action="append",
            default=[],
            metavar="PREFIX",
            help="serve only repositories whose names begin so, as registry.example.com/; may be repeated",
        )
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one per core)")

    def handle(self, *arguments: Any, **options: Any) -> None:
        host, port = _address(options["bind"])
        try:
            access = _access(host, options)
            prefixes = _prefixes(options["gun_prefix"])
            check_master_key()
            hsm.check()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        except TokenUnavailable as error:
            raise CommandError(f"{error.message} {error.next_step}") from None
        _check_certificate(options["tls_cert"], options["tls_key"], options["client_ca"])
        _check_database()
        metrics = VAR / "metrics" / f"trust-server-{port}"
        shutil.rmtree(metrics, ignore_errors=True)  # counters of an earlier run
        metrics.mkdir(parents=True)
        self.stderr.write(f"The trust server listens on https://{options['bind']} ({options['auth']}).")
        environment = {
            **os.environ,
            **access,
            **prefixes,
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            # the web server is started with the interpreter's own module search path
            "PYTHONPATH": os.pathsep.join(filter(None, (str(BASE_DIR), os.environ.get("PYTHONPATH", "")))),
        }
        # Replacing this process leaves nothing in between that signals would have to pass.
        os.execve(sys.executable, _command_line(host, port, options), environment)  # noqa: S606  no shell is wanted


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise CommandError(f"--bind takes HOST:PORT, not {bind!r}.")
    return host, int(port)


def _access(host: str, options: Mapping[str, Any]) -> dict[str, str]:
    """Give the settings of who may come in.

    Raises:
        ImproperlyConfigured: they leave the server open, or closed to everybody.
    """
    if options["auth"] == "none":
        if not is_loopback(host):
            raise ImproperlyConfigured(
                f"Without authentication anybody who reaches {host} could publish and delete trust data. "
                "Use --auth token, or bind to 127.0.0.1."
            )
        return {"TRUST_SERVER_AUTH": "none"}
    given = [options[f"auth_{name}"] for name in ("realm", "service", "issuer", "bundle")]
    doorkeeper_of(*given, options["anonymous_pull"])
    names = ("TRUST_SERVER_AUTH_REALM", "TRUST_SERVER_AUTH_SERVICE", "TRUST_SERVER_AUTH_ISSUER")
    return {
        "TRUST_SERVER_AUTH": "token",
        **dict(zip(names, given, strict=False)),
        "TRUST_SERVER_AUTH_BUNDLE": str(Path(options["auth_bundle"]).resolve()),
        "TRUST_SERVER_ANONYMOUS_PULL": str(options["anonymous_pull"]),
    }


def _prefixes(given: Sequence[str]) -> dict[str, str]:
    """Give the setting of the repositories served; without the option the environment's own counts.

    Raises:
        ImproperlyConfigured: it would shut out what it was meant to let in.
    """
    prefixes = given or settings.TRUST_SERVER_GUN_PREFIXES
    if wrong := [prefix for prefix in prefixes if not is_prefix(prefix)]:
        raise ImproperlyConfigured(f"A GUN prefix is how repositories' names begin, up to a slash, not {wrong[0]!r}.")
    return {"TRUST_SERVER_GUN_PREFIXES": ",".join(prefixes)}


def _check_certificate(certificate: Path, key: Path, client_ca: Path | None) -> None:
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        key_pem = key.read_bytes()
        private = serialization.load_pem_private_key(key_pem, password=None)
        if client_ca:
            x509.load_pem_x509_certificates(client_ca.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise CommandError(f"The certificates or the key cannot be read: {error}") from None
    if b"-----BEGIN PRIVATE KEY-----" not in key_pem:
        raise CommandError(f"The key has to be PKCS#8: openssl pkcs8 -topk8 -nodes -in {key} -out server-key.pem")
    if private.public_key() != leaf.public_key():
        raise CommandError(f"The key in {key} is not the one of the certificate in {certificate}.")


def _check_database() -> None:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(list(executor.loader.graph.leaf_nodes("trust_server")))
    except DatabaseError as error:
        raise CommandError(f"The database of DATABASE_URL does not answer: {error}") from None
    finally:
        connection.close()
    if missing:
        raise CommandError(
            "The database lacks tables. Run `manage.py migrate trust_server --settings=trustui.settings.notary` once."
        )


def _command_line(host: str, port: int, options: Mapping[str, Any]) -> list[str]:
    line = [
        *(sys.executable, "-m", "granian", "--interface=rsgi", "--no-ws"),
        *(f"--host={host}", f"--port={port}", f"--workers={options['workers']}"),
        *(f"--http1-buffer-size={LONGEST_HEADERS}", f"--http1-header-read-timeout={HEADER_MILLISECONDS}"),
        *(f"--http2-max-headers-size={LONGEST_HEADERS}", "--http2-max-concurrent-streams=100"),
        *(
            f"--ssl-certificate={options['tls_cert']}",
            f"--ssl-keyfile={options['tls_key']}",
            "--ssl-protocol-min=tls1.2",
        ),
        *("--respawn-failed-workers", "--workers-kill-timeout=10"),
    ]
    if options["client_ca"]:
        line += [f"--ssl-ca={options['client_ca']}", "--ssl-client-verify"]
    return [*line, "trustui.rsgi_notary:application"]
