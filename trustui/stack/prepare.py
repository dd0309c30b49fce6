"""Make the stack's secrets, certificates and the configuration of its ready-made programs, before anything else starts.

Everything is made once and kept in SAFE, a volume that no other service mounts. Each service then gets a folder of its
own under FOR with what that service needs; what another one may know is not even in its file system.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets as random
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signing.management.commands.make_token_issuer import certificate_of
from trustui.embedded import certificates, environment, secrets
from trustui.embedded.place import CannotStart, private_folder
from trustui.stack import configuration
from trustui.stack.addresses import Addresses

SAFE, FOR = Path("/safe"), Path("/for")
TOKEN_DAYS = 730
OURS, THEIRS = 0o400, 0o444  # the user of our image writes the files; the users of other images are not known here

# The services of our own image by their settings module, and what they get beyond what `make run` gives them.
SERVICES = {
    "web": ("web", ("token_key", "token_certificate")),
    "trust-server": ("notary", ()),
    "signing-worker": ("signing_worker", ("worker_token_key", "worker_token_certificate")),
    "docker-worker": ("docker_worker", ()),
    "notices-worker": ("notices_worker", ()),
    "scheduler": ("scheduler", ()),
}
NO_REDIS = ("trust-server",)
PASSWORDS = ("postgres", "redis", "notary-db", "notary-signer")


def prepare(
    environ: Mapping[str, str], safe: Path = SAFE, out: Path = FOR, now: datetime.datetime | None = None
) -> None:
    """Make what is missing and hand out everything anew.

    Raises:
        CannotStart: what was asked for would be unsafe.
    """
    addresses = Addresses.of(environ)
    _require_safe(addresses)
    now = now or datetime.datetime.now(datetime.UTC)
    kept = secrets.ensure(safe)
    for name in PASSWORDS:
        secrets.write_once(kept / f"{name}_password", random.token_urlsafe(32))
    for name in ("token", "worker_token"):
        _ensure_token_key(kept, name, now)
    tls, between = private_folder(safe / "tls"), private_folder(safe / "tls-notary")
    for folder in (tls, between):
        certificates.ensure_authority(folder, now)
    _hand_out_ours(kept, tls, out, addresses, now)
    _hand_out_theirs(kept, tls, out, addresses, now)
    _hand_out_notary(kept, tls, between, out, addresses, now)


def _require_safe(addresses: Addresses) -> None:
    if addresses.is_open and addresses.is_local:
        raise CannotStart(
            f"TRUSTUI_BIND={addresses.bind} opens the ports to other machines, so TRUSTUI_HOST has to be the name they "
            "use for this one: it is what certificates are made for, and without one passwords would cross the network "
            "in the clear."
        )


def _hand_out_ours(kept: Path, tls: Path, out: Path, addresses: Addresses, now: datetime.datetime) -> None:
    database = configuration.database_url("postgres", "trustui", _read(kept / "postgres_password"))
    redis = configuration.redis_url(_read(kept / "redis_password"))
    for service, (part, more) in SERVICES.items():
        names = (*(name.lower() for name in environment.SECRETS[part]), *more)
        files = {name: _read(kept / name) for name in names}
        files |= {"database_url": database, "ca.pem": _read(tls / "ca.pem")}
        if service not in NO_REDIS:
            files["redis_url"] = redis
        if service == "trust-server":
            files |= _served(tls, "trust-server", addresses, now) | {"token_certificates": _bundle(kept)}
        if service == "web" and not addresses.is_local:
            files |= _served(tls, "web", addresses, now)
        _fill(out / service, files, OURS)


def _hand_out_theirs(kept: Path, tls: Path, out: Path, addresses: Addresses, now: datetime.datetime) -> None:
    _fill(out / "postgres", {"password": _read(kept / "postgres_password")}, THEIRS)
    _fill(out / "redis", configuration.redis(_read(kept / "redis_password")), THEIRS)
    registry = configuration.registry(addresses, random.token_hex(16)) | {"token_certificates": _bundle(kept)}
    if not addresses.is_local:
        registry |= _served(tls, "registry", addresses, now)
    _fill(out / "registry", registry, THEIRS)


def _hand_out_notary(
    kept: Path, tls: Path, between: Path, out: Path, addresses: Addresses, now: datetime.datetime
) -> None:
    """Hand out what the original's two programs need; between them an authority of their own counts, and no other."""
    password = _read(kept / "notary-db_password")
    authority = {"signer-ca.pem": _read(between / "ca.pem")}
    signer = configuration.notary_signer(password) | {"password": _read(kept / "notary-signer_password")}
    signer |= _issued(between, "notary-signer", ("notary-signer",), now, "server")
    server = configuration.notary_server(addresses, password) | {"token_certificates": _bundle(kept)}
    server |= _served(tls, "notary-server", addresses, now)
    server |= _issued(between, "notary-server", ("notary-server",), now, "client")
    _fill(out / "notary-db", {"password": password}, THEIRS)
    _fill(out / "notary-signer", signer | authority, THEIRS)
    _fill(out / "notary-server", server | authority, THEIRS)


def _served(tls: Path, name: str, addresses: Addresses, now: datetime.datetime) -> dict[str, str]:
    """Give the certificate that a server shows to people, workers and its own health check."""
    hosts = (addresses.host, *(host for host in certificates.LOCAL_NAMES if host != addresses.host))
    return _issued(tls, name, hosts, now, "server")


def _issued(tls: Path, name: str, hosts: tuple[str, ...], now: datetime.datetime, as_name: str) -> dict[str, str]:
    certificate, key = certificates.ensure_issued(tls, name, hosts, now)
    return {f"{as_name}.pem": _read(certificate), f"{as_name}-key.pem": _read(key)}


def _ensure_token_key(kept: Path, name: str, now: datetime.datetime) -> None:
    """Make the key of a token issuer and its certificate; both anew before they end."""
    key_file, certificate_file = kept / f"{name}_key", kept / f"{name}_certificate"
    if certificate_file.exists():
        until = x509.load_pem_x509_certificate(certificate_file.read_bytes()).not_valid_after_utc
        if until - now > certificates.RENEW_BEFORE:
            return
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secrets.replace(key_file, key.private_bytes(*form).decode())
    secrets.replace(certificate_file, certificate_of(key, TOKEN_DAYS).decode())


def _bundle(kept: Path) -> str:
    return "".join(_read(kept / f"{name}_certificate") for name in ("token", "worker_token"))


def _fill(folder: Path, files: Mapping[str, str], mode: int) -> None:
    """Put exactly these files into a service's folder, each whole or not at all."""
    for name, text in files.items():
        secrets.replace(folder / name, text)
        (folder / name).chmod(mode)
    for stray in folder.iterdir():
        if stray.name not in files:
            stray.unlink()


def _read(path: Path) -> str:
    return path.read_text()


def main() -> int:
    """Prepare; what stands in the way is told in one sentence."""
    try:
        prepare(os.environ)
    except CannotStart as problem:
        print(problem, flush=True)  # noqa: T201  `docker-compose logs prepare` shows it
        return 1
    addresses = Addresses.of(os.environ)
    print(json.dumps({"web": addresses.web, "trust server": addresses.trust_server}), flush=True)  # noqa: T201
    return 0
