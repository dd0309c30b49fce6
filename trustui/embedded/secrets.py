"""Make the installation's secrets once; each process later reads only its own."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from trustui.embedded.place import private_folder

WORKER_KEYS = {
    "signing": "signing_worker_key",
    "docker": "docker_worker_key",
    "notices": "notices_worker_key",
}
MASTER_KEYS = ("master_key", "trust_server_master_key")


def ensure(var: Path) -> Path:
    """Make what is missing in `var/secrets` and return that folder; nothing that exists is replaced."""
    folder = private_folder(var / "secrets")
    write_once(folder / "secret_key", secrets.token_urlsafe(48))
    for name in MASTER_KEYS:
        write_once(folder / name, _base64(os.urandom(32)))
    _audit_key(folder)
    public = {name: _worker_public_key(folder / file) for name, file in WORKER_KEYS.items()}
    replace(folder / "sealing_public_keys", json.dumps(public))
    return folder


def write_once(path: Path, text: str) -> None:
    """Write a file for this user alone unless it exists; an interrupted write leaves nothing behind."""
    if not path.exists():
        replace(path, text)


def replace(path: Path, text: str) -> None:
    """Write a file for this user alone, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _worker_public_key(path: Path) -> str:
    write_once(path, _base64(X25519PrivateKey.generate().private_bytes_raw()))
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(path.read_text()))
    return _base64(private.public_key().public_bytes_raw())


def _audit_key(folder: Path) -> None:
    """Make the key that signs the end of the audit log, and write its public half for the pages."""
    path = folder / "audit_key"
    if not path.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        write_once(path, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    private = load_pem_private_key(path.read_bytes(), password=None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    replace(folder / "audit_public_key", public.decode())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
