"""Make the key with which the dashboard signs tokens for trust servers, and the certificate they believe it by."""

from __future__ import annotations

import datetime
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management.base import BaseCommand, CommandError

KEY_FILE = "token-issuer-key.pem"
CERTIFICATE_FILE = "token-issuer.pem"


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where to write token-issuer-key.pem and token-issuer.pem")
        parser.add_argument("--days", type=int, default=730, help="how long the certificate is valid (730)")

    def handle(self, *arguments: Any, folder: Path, days: int, **options: Any) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / KEY_FILE, private, 0o600)
            _write(folder / CERTIFICATE_FILE, certificate_of(key, days), 0o644)
        except OSError as error:
            raise CommandError(f"Nothing was replaced: {error}") from None
        self.stdout.write(
            f"For the web process:   TOKEN_KEY_FILE={folder / KEY_FILE}\n"
            f"                       TOKEN_CERTIFICATE_FILE={folder / CERTIFICATE_FILE}\n"
            f"For the trust server:  --auth token --auth-bundle {folder / CERTIFICATE_FILE}"
        )


def certificate_of(key: ec.EllipticCurvePrivateKey, days: int) -> bytes:
    """Make the certificate, in PEM, by which a trust server believes what this key signs."""
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TrustUI token issuer")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks differ a little
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
