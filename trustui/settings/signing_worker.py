"""The signing worker: it can open keys and has no Docker socket."""

from __future__ import annotations

import json

from trustui.settings.environment import VAR, env, secret, secret_key_bytes, secret_keys
from trustui.settings.server_keys import *  # noqa: F403  for imports into the built-in trust server, where given
from trustui.settings.worker import *  # noqa: F403  this is the worker with additions
from trustui.settings.worker import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "signing.server.apps.TrustServerConfig"]
SEALING_PUBLIC_KEYS = json.loads(secret("SEALING_PUBLIC_KEYS"))
SEALING_RECIPIENT = "signing"
SEALING_PRIVATE_KEY = secret_key_bytes("SIGNING_WORKER_KEY")
MASTER_KEY = secret_key_bytes("MASTER_KEY")
PREVIOUS_MASTER_KEYS = secret_keys("PREVIOUS_MASTER_KEYS")  # until `manage.py rotate_master_key` has brought all over

# Signer keys in tokens: one module (p11-kit has one for several), and the PINs that nobody types, by token label.
PKCS11_MODULE = env.str("PKCS11_MODULE", default="")
PKCS11_PINS: dict[str, str] = json.loads(env.str("PKCS11_PINS", default="{}"))
PKCS11_SECONDS = env.float("PKCS11_SECONDS", default=30.0)

# Keys in key services. Whoever may write a row of the database still cannot choose the server or the credentials.
AWS_ACCESS_KEY_ID = env.str("AWS_ACCESS_KEY_ID", default="").strip()
AWS_SECRET_ACCESS_KEY = env.str("AWS_SECRET_ACCESS_KEY", default="").strip()
AWS_SESSION_TOKEN = env.str("AWS_SESSION_TOKEN", default="").strip()
AWS_KMS_ENDPOINT = env.str("AWS_KMS_ENDPOINT", default="")
VAULT_ADDR = env.str("VAULT_ADDR", default="")
VAULT_TOKEN = env.str("VAULT_TOKEN", default="").strip()
VAULT_NAMESPACE = env.str("VAULT_NAMESPACE", default="")
KEY_SERVICE_CA = env.str("KEY_SERVICE_CA", default="")
KEY_SERVICE_SECONDS = env.float("KEY_SERVICE_SECONDS", default=15.0)

# Signs the end of the audit log; what was signed last is remembered outside the database.
AUDIT_KEY = secret("AUDIT_KEY")
AUDIT_WITNESS = env.str("AUDIT_WITNESS", default=str(VAR / "audit-head.json"))

# With it the worker lets itself into these trust servers, which believe the certificate; without it they want a login.
WORKER_TOKEN_SERVERS = tuple(env.list("WORKER_TOKEN_SERVERS", default=[]))
WORKER_TOKEN_KEY = secret("WORKER_TOKEN_KEY") if WORKER_TOKEN_SERVERS else ""
WORKER_TOKEN_CERTIFICATE = secret("WORKER_TOKEN_CERTIFICATE") if WORKER_TOKEN_SERVERS else ""
TOKEN_ISSUER = env.str("TOKEN_ISSUER", default="trustui")
