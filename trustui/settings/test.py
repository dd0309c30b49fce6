"""Unit tests: every app in one process, throw-away keys made at import, no queue, no network."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import tempfile
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

# A developer's own settings must not leak into tests.
for _name in ("DATABASE_URL", "REDIS_URL", "HTTPS_ONLY", "DEBUG", "ALLOWED_HOSTS"):
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ["TRUSTUI_VAR"] = tempfile.gettempdir()  # nothing is written there; only paths are formed

_keys = {name: X25519PrivateKey.generate() for name in ("signing", "docker", "notices")}
_public = {name: base64.b64encode(k.public_key().public_bytes_raw()).decode() for name, k in _keys.items()}
os.environ["DJANGO_ADMIN"] = "true"  # so that its addresses are tested as all others
os.environ["SECRET_KEY"] = base64.b64encode(os.urandom(32)).decode()
os.environ["SEALING_PUBLIC_KEYS"] = json.dumps(_public)

from trustui.settings.web import *  # noqa: E402, F403  after the environment it reads
from trustui.settings.web import INSTALLED_APPS  # noqa: E402

# Unit tests open what pages sealed, so they hold what two workers and the trust server hold apart.
if importlib.util.find_spec("signing.server.apps"):
    INSTALLED_APPS = [*INSTALLED_APPS, "signing.server.apps.TrustServerConfig"]
TEST_SEALING_PRIVATE_KEYS = {name: key.private_bytes_raw() for name, key in _keys.items()}
SEALING_RECIPIENT = "signing"
SEALING_PRIVATE_KEY = TEST_SEALING_PRIVATE_KEYS["signing"]
MASTER_KEY = os.urandom(32)
PKCS11_MODULE, PKCS11_SECONDS = "", 10.0
PKCS11_PINS: dict[str, str] = {}
AWS_ACCESS_KEY_ID = AWS_SECRET_ACCESS_KEY = AWS_SESSION_TOKEN = AWS_KMS_ENDPOINT = ""
VAULT_ADDR = VAULT_TOKEN = VAULT_NAMESPACE = KEY_SERVICE_CA = ""
KEY_SERVICE_SECONDS = 5.0
PREVIOUS_MASTER_KEYS: tuple[bytes, ...] = ()
_audit_key = ec.generate_private_key(ec.SECP256R1())
AUDIT_KEY = _audit_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
AUDIT_PUBLIC_KEY = _audit_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
AUDIT_WITNESS = ""  # a test that needs one names a file
TRUST_SERVER_MASTER_KEY = os.urandom(32)
_audit_key = ec.generate_private_key(ec.SECP256R1())
AUDIT_KEY = _audit_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
AUDIT_PUBLIC_KEY = _audit_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
AUDIT_WITNESS = ""  # a test that needs one names a file
TRUST_SERVER_PREVIOUS_MASTER_KEY = b""
TRUST_SERVER_GUN_PREFIXES: tuple[str, ...] = ()
TRUST_SERVER_HSM_MODULE = TRUST_SERVER_HSM_TOKEN = TRUST_SERVER_HSM_PIN = ""
TRUST_SERVER_AUTH = "none"
TRUST_SERVER_AUTH_REALM = TRUST_SERVER_AUTH_SERVICE = TRUST_SERVER_AUTH_ISSUER = TRUST_SERVER_AUTH_BUNDLE = ""
TRUST_SERVER_ANONYMOUS_PULL = False
TRUST_SERVER_LARGEST_UPLOAD = 32 * 1024 * 1024
TRUST_SERVER_UPLOAD_SECONDS = 30.0
WORKER_TOKEN_SERVERS: tuple[str, ...] = ()
WORKER_TOKEN_KEY = WORKER_TOKEN_CERTIFICATE = ""
DOCKER_HOST = ""
CHECK_EVERY = timedelta(minutes=5)
DIGEST_HOUR = 6
WEBHOOKS_TO_THIS_MACHINE = True
DASHBOARD_URL = "https://trust.example.com"
SENDS_MAIL = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
if _url := os.environ.get("TEST_DATABASE_URL"):  # the same tests on PostgreSQL
    from trustui.settings.base import database

    DATABASES = {"default": database(_url)}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "fragments": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},  # rows of tests change without a version
}
TRUSTUI_QUEUE = "none"
RQ_QUEUES = {}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ACCOUNT_RATE_LIMITS = False
WHITENOISE_AUTOREFRESH = True  # no collected folder is needed
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
