"""The configuration files of the programs of others: Redis, the registry, notary-server and notary-signer."""

from __future__ import annotations

import json

from trustui.stack.addresses import TOKEN_ISSUER, TOKEN_SERVICE, Addresses

SECRETS = "/secrets"
KEY_ALIAS = "stack"


def database_url(host: str, name: str, password: str) -> str:
    """Form the address of a database that is reached by no network but the stack's own."""
    return f"postgres://{name}:{password}@{host}/{name}"


def redis_url(password: str) -> str:
    return f"redis://:{password}@redis:6379/0"


def redis(password: str) -> dict[str, str]:
    """Keep what was accepted, and let in who knows the password."""
    lines = (f"requirepass {password}", "appendonly yes", 'save ""', "maxmemory-policy noeviction", "dir /data")
    return {"redis.conf": "\n".join(lines) + "\n", "password": password}


def registry(addresses: Addresses, secret: str) -> dict[str, str]:
    """On this machine alone it is open, as `make run`'s is; for others it has TLS and asks the dashboard who may."""
    http: dict[str, object] = {"addr": ":5000", "secret": secret, "debug": {"addr": "127.0.0.1:5001"}}
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": "/var/lib/registry"}, "delete": {"enabled": True}},
        "health": {"storagedriver": {"enabled": True}},
        "http": http,
    }
    if not addresses.is_local:
        http["tls"] = {"certificate": f"{SECRETS}/server.pem", "key": f"{SECRETS}/server-key.pem"}
        config["auth"] = {"token": _token_options(addresses)}
    return {"registry.yml": json.dumps(config)}  # JSON is YAML too


def notary_server(addresses: Addresses, password: str) -> dict[str, str]:
    """It proves itself to the signer with a certificate of its own, and lets in who brings the dashboard's tokens."""
    config = {
        "server": {
            "http_addr": ":4443",
            "tls_cert_file": f"{SECRETS}/server.pem",
            "tls_key_file": f"{SECRETS}/server-key.pem",
        },
        "trust_service": {
            "type": "remote",
            "hostname": "notary-signer",
            "port": "7899",
            "key_algorithm": "ecdsa",
            "tls_ca_file": f"{SECRETS}/signer-ca.pem",
            "tls_client_cert": f"{SECRETS}/client.pem",
            "tls_client_key": f"{SECRETS}/client-key.pem",
        },
        "auth": {"type": "token", "options": _token_options(addresses)},
        "logging": {"level": "warning"},
        "storage": {"backend": "postgres", "db_url": _notary_database("notaryserver", password)},
    }
    return {"server.json": json.dumps(config)}


def notary_signer(password: str) -> dict[str, str]:
    """It answers only whoever has a certificate of the stack's own authority."""
    config = {
        "server": {
            "grpc_addr": ":7899",
            "tls_cert_file": f"{SECRETS}/server.pem",
            "tls_key_file": f"{SECRETS}/server-key.pem",
            "client_ca_file": f"{SECRETS}/signer-ca.pem",
        },
        "logging": {"level": "warning"},
        "storage": {
            "backend": "postgres",
            "db_url": _notary_database("notarysigner", password),
            "default_alias": KEY_ALIAS,
        },
    }
    return {"signer.json": json.dumps(config)}


def _notary_database(name: str, password: str) -> str:
    return f"postgres://notary:{password}@notary-db/{name}?sslmode=disable"


def _token_options(addresses: Addresses) -> dict[str, str]:
    return {
        "realm": addresses.realm,
        "service": TOKEN_SERVICE,
        "issuer": TOKEN_ISSUER,
        "rootcertbundle": f"{SECRETS}/token_certificates",
    }
