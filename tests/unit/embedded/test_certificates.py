"""The trust server's certificate verifies under its authority, and both are renewed in time."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store

from trustui.embedded import certificates

NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def after(**much: int) -> datetime.datetime:
    return NOW + datetime.timedelta(**much)


def test_the_server_verifies_under_its_authority(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NOW)
    verifier = PolicyBuilder().store(Store([load(files.ca)])).time(NOW).build_server_verifier(x509.DNSName("localhost"))
    assert verifier.verify(load(files.server), [])[1] == load(files.ca)


def test_the_key_is_plain_pkcs8_for_this_user_alone(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NOW)
    assert files.server_key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert files.server_key.stat().st_mode & 0o777 == 0o600
    key = serialization.load_pem_private_key(files.server_key.read_bytes(), password=None)
    assert key.public_key() == load(files.server).public_key()


def test_nothing_is_minted_twice(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NOW)
    before = [file.read_bytes() for file in (files.ca, files.server, files.server_key)]
    certificates.ensure(tmp_path, after(days=300))
    assert [file.read_bytes() for file in (files.ca, files.server, files.server_key)] == before


def test_a_server_near_its_end_is_renewed_under_the_same_authority(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NOW)
    ca, server = files.ca.read_bytes(), files.server.read_bytes()
    certificates.ensure(tmp_path, after(days=380))
    assert files.ca.read_bytes() == ca
    assert files.server.read_bytes() != server
    load(files.server).verify_directly_issued_by(load(files.ca))


def test_an_authority_near_its_end_takes_the_server_along(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NOW)
    ca = files.ca.read_bytes()
    certificates.ensure(tmp_path, after(days=certificates.AUTHORITY_DAYS - 1))
    assert files.ca.read_bytes() != ca
    load(files.server).verify_directly_issued_by(load(files.ca))


def test_a_lost_key_is_minted_again_with_its_certificate(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, NOW)
    files.server_key.unlink()
    certificates.ensure(tmp_path, NOW)
    key = serialization.load_pem_private_key(files.server_key.read_bytes(), password=None)
    assert key.public_key() == load(files.server).public_key()
