"""The built-in trust server: Notary's HTTP API and the master key of its own online keys, nothing else."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from trustui.settings.base import *  # noqa: F403  this is the base with additions
from trustui.settings.base import CORE_APPS, DATABASES, LOGGING
from trustui.settings.environment import env, secret_key_bytes
from trustui.settings.server_keys import *  # noqa: F403  what its keys are locked with

SECRET_KEY = get_random_secret_key()  # it keeps no sessions
TRUST_SERVER_MASTER_KEY = secret_key_bytes("TRUST_SERVER_MASTER_KEY")  # without it nothing starts

# Only repositories whose names begin with one of these are served; empty: all.
TRUST_SERVER_GUN_PREFIXES = tuple(env.list("TRUST_SERVER_GUN_PREFIXES", default=[]))

# How long superseded versions can still be downloaded (0: for ever), and how often the server looks after itself.
TRUST_SERVER_KEEP_DAYS = env.int("TRUST_SERVER_KEEP_DAYS", default=30)
TRUST_SERVER_TICK_SECONDS = env.float("TRUST_SERVER_TICK_SECONDS", default=300.0)

# Who may come in; `manage.py trustserver` sets these from its options.
TRUST_SERVER_AUTH = env.str("TRUST_SERVER_AUTH", default="none")
TRUST_SERVER_AUTH_REALM = env.str("TRUST_SERVER_AUTH_REALM", default="")
TRUST_SERVER_AUTH_SERVICE = env.str("TRUST_SERVER_AUTH_SERVICE", default="")
TRUST_SERVER_AUTH_ISSUER = env.str("TRUST_SERVER_AUTH_ISSUER", default="")
TRUST_SERVER_AUTH_BUNDLE = env.str("TRUST_SERVER_AUTH_BUNDLE", default="")
TRUST_SERVER_ANONYMOUS_PULL = env.bool("TRUST_SERVER_ANONYMOUS_PULL", default=False)
if TRUST_SERVER_AUTH not in ("none", "token"):
    raise ImproperlyConfigured("TRUST_SERVER_AUTH must be none or token.")

# Limits of uploads: how large, and how long a client may take to send one.
TRUST_SERVER_LARGEST_UPLOAD = env.int("TRUST_SERVER_LARGEST_UPLOAD", default=32 * 1024 * 1024)
TRUST_SERVER_UPLOAD_SECONDS = env.float("TRUST_SERVER_UPLOAD_SECONDS", default=30.0)

ROOT_URLCONF = "signing.server.urls"
WSGI_APPLICATION = "trustui.wsgi_notary.application"
INSTALLED_APPS = [*CORE_APPS, "signing.server.apps.TrustServerConfig"]
MIDDLEWARE = []  # no cookies and no links: nothing here depends on the name a client used
LOGGING["loggers"]["django.request"] = {"level": "ERROR"}  # asking for a repository that is not there is ordinary
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # the views limit each file themselves

if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Without its database the server says so after a few seconds, and finds it again as soon as it is back: the pool's
    # own attempts would come ever more rarely for five minutes.
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 8, "timeout": 4, "reconnect_timeout": 4}}
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # the pool keeps them
