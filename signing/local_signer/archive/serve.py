"""`trustctl archive serve FILE`: a read-only Notary server on this machine, for docker, notary and trustctl."""

from __future__ import annotations

import ipaddress
import ssl
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.local_signer.archive.report import outline, shown
from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, say, say_json
from signing.trust.errors import InvalidInput
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History, judge
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.serving import READ_ONLY, Answer, ServedArchive

HOST = "127.0.0.1"
CERTIFICATE_DAYS = 30
IDLE_SECONDS = 30


def run(session: Session, arguments: Namespace) -> Exit:
    """Serve until Ctrl+C, with a certificate made for this once."""
    written: Path = arguments.write_ca or arguments.file.with_name(f"{arguments.file.name}.crt")
    with Archive(arguments.file) as archive:
        records = archive.manifest.repositories
        histories = [judge(gun, records[gun], partial(archive.read, gun), RootPins()) for gun in sorted(records)]
        context, certificate = _tls()
        with _listening(arguments.port, ServedArchive(archive, histories), context) as server:
            written.write_text(certificate)
            port = server.server_address[1]
            if arguments.json:
                _introduce_to_programs(histories, port, written)
            else:
                _introduce(histories, port, written)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                complain("Ended.")
    return Exit.DONE


def _introduce_to_programs(histories: list[History], port: int, certificate: Path) -> None:
    told = {
        "url": f"https://{HOST}:{port}",
        "certificate": str(certificate),
        "repositories": list(map(outline, histories)),
    }
    say_json(told)
    sys.stdout.flush()  # a program that waits for it reads a pipe


def _introduce(histories: list[History], port: int, certificate: Path) -> None:
    for history in histories:
        if history.last is None:
            complain(f"{history.gun}: not served, for the archive proves nothing of it.")
            continue
        until = history.vouched_until
        over = until is not None and until < datetime.now(UTC)
        say(f"{history.gun}: clients take its newest state until {shown(until)}{', which is over' if over else ''}.")
        for problem in history.problems:
            complain(f"{history.gun}: {problem.file}: {problem.error.message}")
    say(
        f"Its certificate is {certificate}: docker trusts it as ~/.docker/tls/{HOST}:{port}/ca.crt, "
        "notary by --tlscacert, trustctl by --ca."
    )
    say(f"Serving read-only on https://{HOST}:{port} until Ctrl+C")


@contextmanager
def _listening(port: int, served: ServedArchive, context: ssl.SSLContext) -> Iterator[_Server]:
    try:
        server = _Server((HOST, port), partial(_Handler, served))
    except (OSError, OverflowError):
        raise InvalidInput(f"Port {port} cannot be used.", next_step="Name another one with --port.") from None
    server.context = context
    try:
        yield server
    finally:
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection; the handshake waits for its thread, so that a silent client holds up nobody else."""
        connection, address = super().get_request()
        connection.settimeout(IDLE_SECONDS)
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that hang up or do not trust the certificate; they know."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "trustctl"
    sys_version = ""

    def __init__(self, served: ServedArchive, *arguments: Any) -> None:
        self._served = served
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._send(self._served.answer("GET", self.path))

    def do_HEAD(self) -> None:
        self._send(self._served.answer("HEAD", self.path), with_body=False)

    def do_POST(self) -> None:
        self._refuse()

    def do_PUT(self) -> None:
        self._refuse()

    def do_DELETE(self) -> None:
        self._refuse()

    def _refuse(self) -> None:
        self.close_connection = True  # what it wanted to send stays unread
        self._send(READ_ONLY)

    def _send(self, answer: Answer, *, with_body: bool = True) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet: a person reads this terminal."""


def _tls() -> tuple[ssl.SSLContext, str]:
    """Make a certificate for this machine alone, good for itself and nothing else, and the TLS settings with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trustctl archive")])
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(here), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:  # mode 0600; the library reads files only
        both.write(private + pem)
        both.flush()
        context.load_cert_chain(both.name)
    return context, pem
