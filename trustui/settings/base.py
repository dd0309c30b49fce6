"""What every process shares. One module per process adds what that process alone needs (docs/settings.md)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from trustui.settings import logs
from trustui.settings.environment import VAR, env

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "signing.User"

# Enough for every process: the rows, and the person model they point to.
CORE_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "signing.apps.SigningConfig",
]
INSTALLED_APPS = list(CORE_APPS)
MIDDLEWARE: list[str] = []

SQLITE_BUSY_SECONDS = 20
EMBEDDED_DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR / "trustui.sqlite3")}


def database(address: str) -> dict[str, Any]:
    """Turn a DATABASE_URL into Django's form, with what makes each engine safe for several processes.

    Raises:
        ImproperlyConfigured: it is neither SQLite nor PostgreSQL.
    """
    configured: dict[str, Any] = env.db_url_config(address) if address else dict(EMBEDDED_DATABASE)
    if configured.get("ENGINE") == "django.db.backends.sqlite3":
        configured["OPTIONS"] = {
            # Write intent is announced at BEGIN: two writers wait for each other instead of failing half-way.
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_BUSY_SECONDS,
            "init_command": "PRAGMA journal_mode=WAL",
        }
    elif configured.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must start with sqlite:/// or postgres://")
    configured["CONN_MAX_AGE"] = 60
    configured["CONN_HEALTH_CHECKS"] = True
    return configured


DATABASES = {"default": database(env.str("DATABASE_URL", default=""))}

# Shared by all web processes, so that sign-in limits count once; needs no second service.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "trustui_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # Django's 300 would let anybody push out counted passwords with new names
    }
}

REDIS_URL = env.str("REDIS_URL", default="")
TRUSTUI_QUEUE = "rq" if REDIS_URL else "polling"
QUEUE_NAMES = ("docker", "notices", "signing")


def queues(address: str, patience: float | None = None) -> dict[str, dict[str, Any]]:
    """Describe the queues; with `patience`, seconds after which a Redis that says nothing counts as away."""
    if address and patience:
        limit = f"socket_timeout={patience}&socket_connect_timeout={patience}"
        address += ("&" if "?" in address else "?") + (f"socket_timeout={patience}" if "unix:" in address else limit)
    queue = {
        "URL": address,
        "DEFAULT_TIMEOUT": 1800,
        "SERIALIZER": "rq.serializers.JSONSerializer",  # pickle would let Redis run code in a worker
    }
    return {name: dict(queue) for name in (QUEUE_NAMES if address else ())}


RQ_QUEUES = queues(REDIS_URL)

STATE_FOLDER = str(VAR)
HEALTH_EVERY_SECONDS = env.int("HEALTH_EVERY_SECONDS", default=30)

HEARTBEAT_SECONDS = 0.0  # workers show that they live; nothing else runs steps

# Anyone may seal for a worker; only that worker can open it.
SEALING_PUBLIC_KEYS: dict[str, str] = {}

LOGGING = logs.configure(form=env.str("LOG_FORMAT", default="json"), level=env.str("LOG_LEVEL", default="INFO").upper())
