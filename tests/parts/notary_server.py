"""notary-server with notary-signer, speaking mutual TLS to each other, one pair per test run."""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.parts.certificates import KeyPair
from tests.parts.ports import free_port
from tests.parts.programs import require_program
from tests.parts.trust_server import LocalTrustServer
from trustui.embedded.processes import Process, accepts

START_SECONDS = 20
KEY_ALIAS = "a1"

# The Debian package ships no schema. The columns are those the two programs read and write.
SERVER_SCHEMA = """
CREATE TABLE tuf_files (
    id SERIAL PRIMARY KEY,
    created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, deleted_at TIMESTAMPTZ,
    gun VARCHAR(255) NOT NULL, role VARCHAR(255) NOT NULL, version INTEGER NOT NULL,
    data BYTEA NOT NULL, sha256 CHAR(64) DEFAULT NULL,
    UNIQUE (gun, role, version)
);
CREATE INDEX tuf_files_sha256 ON tuf_files (sha256);
CREATE TABLE changefeed (
    id SERIAL PRIMARY KEY,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    gun VARCHAR(255) NOT NULL, version INTEGER NOT NULL,
    sha256 CHAR(64) DEFAULT NULL, category VARCHAR(20) NOT NULL DEFAULT 'update'
);
"""
SIGNER_SCHEMA = """
CREATE TABLE private_keys (
    id SERIAL PRIMARY KEY,
    created_at TIMESTAMPTZ, updated_at TIMESTAMPTZ, deleted_at TIMESTAMPTZ,
    key_id VARCHAR(255) NOT NULL UNIQUE,
    encryption_alg VARCHAR(255) NOT NULL, keywrap_alg VARCHAR(255) NOT NULL,
    algorithm VARCHAR(50) NOT NULL, passphrase_alias VARCHAR(50) NOT NULL,
    gun VARCHAR(255) NOT NULL, role VARCHAR(255) NOT NULL,
    public BYTEA NOT NULL, private BYTEA NOT NULL, last_used TIMESTAMPTZ
);
"""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the two programs keep their data; memory unless databases are named."""

    server_url: str = ""
    signer_url: str = ""

    def of_server(self) -> dict[str, str]:
        return _backend(self.server_url)

    def of_signer(self) -> dict[str, str]:
        return _backend(self.signer_url) | {"default_alias": KEY_ALIAS}


def _backend(url: str) -> dict[str, str]:
    return {"backend": "postgres", "db_url": url} if url else {"backend": "memory"}


@dataclass(slots=True)
class NotaryServer(LocalTrustServer):
    """The real trust server; `start` gives it back ready."""

    storage: Storage = field(default_factory=Storage)
    key_algorithm: str = "ecdsa"
    signer_port: int = field(default_factory=free_port)
    _running: list[Process] = field(default_factory=list)

    def start(self) -> NotaryServer:
        signer, server = require_program("notary-signer"), require_program("notary-server")
        signer_pair, server_pair = self._authority.issue("signer"), self._authority.issue("server")
        self._launch("notary-signer", signer, self._signer_config(signer_pair)).wait_ready(
            lambda: accepts(self.signer_port), START_SECONDS
        )
        self._launch("notary-server", server, self._server_config(server_pair)).wait_ready(
            self._is_healthy, START_SECONDS
        )
        return self

    def stop(self) -> None:
        """End both, the server first; safe to repeat."""
        while self._running:
            self._running.pop().stop()

    def _launch(self, name: str, program: str, config: Mapping[str, Any]) -> Process:
        config_file = self.folder / f"{name}.json"
        config_file.write_text(json.dumps(config))
        env = {
            "PATH": os.environ["PATH"],
            f"NOTARY_SIGNER_{KEY_ALIAS.upper()}": "a test's key-wrapping secret",
        }
        process = Process(name, [program, f"-config={config_file}"], env=env, log=self.folder / f"{name}.log")
        self._running.append(process)
        return process.start()

    def _signer_config(self, pair: KeyPair) -> dict[str, Any]:
        return {
            "server": {
                "grpc_addr": f"127.0.0.1:{self.signer_port}",
                "tls_cert_file": str(pair.certificate),
                "tls_key_file": str(pair.key),
                "client_ca_file": str(self.ca_file),
            },
            "logging": {"level": "warning"},
            "storage": self.storage.of_signer(),
        }

    def _server_config(self, pair: KeyPair) -> dict[str, Any]:
        return {
            "server": {
                "http_addr": f"127.0.0.1:{self.port}",
                "tls_cert_file": str(pair.certificate),
                "tls_key_file": str(pair.key),
            },
            "trust_service": {
                "type": "remote",
                "hostname": "127.0.0.1",
                "port": str(self.signer_port),
                "key_algorithm": self.key_algorithm,
                "tls_ca_file": str(self.ca_file),
                "tls_client_cert": str(pair.certificate),
                "tls_client_key": str(pair.key),
            },
            "logging": {"level": "warning"},
            "storage": self.storage.of_server(),
        }

    def _is_healthy(self) -> bool:
        context = ssl.create_default_context(cadata=self.ca_pem)
        try:
            with urllib.request.urlopen(f"{self.url}/_notary_server/health", context=context, timeout=5) as answer:
                return bool(answer.read().strip() == b"{}")
        except OSError:
            return False
