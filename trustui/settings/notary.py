"""The built-in trust server: Notary's HTTP API and the master key of its own online keys, nothing else."""

from __future__ import annotations

from django.core.management.utils import get_random_secret_key

from trustui.settings.base import *  # noqa: F403  this is the base with additions
from trustui.settings.base import CORE_APPS, DATABASES, LOGGING
from trustui.settings.environment import secret_key_bytes

SECRET_KEY = get_random_secret_key()  # it keeps no sessions
TRUST_SERVER_MASTER_KEY = secret_key_bytes("TRUST_SERVER_MASTER_KEY")

ROOT_URLCONF = "signing.server.urls"
WSGI_APPLICATION = "trustui.wsgi_notary.application"
INSTALLED_APPS = [*CORE_APPS, "signing.server.apps.TrustServerConfig"]
MIDDLEWARE = []  # no cookies and no links: nothing here depends on the name a client used
LOGGING["loggers"]["django.request"] = {"level": "ERROR"}  # asking for a repository that is not there is ordinary
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # the views limit each file themselves

if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["OPTIONS"] = {"pool": True}
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # the pool keeps them
