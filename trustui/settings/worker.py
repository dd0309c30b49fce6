"""What the two workers and the scheduler share: the queues, no pages, no session key."""

from __future__ import annotations

from datetime import timedelta

from django.core.management.utils import get_random_secret_key

from trustui.settings.base import *  # noqa: F403  this is the base with additions
from trustui.settings.base import CORE_APPS, REDIS_URL
from trustui.settings.environment import env

# How often each repository is checked, by its trust server and by its registry.
CHECK_EVERY = timedelta(seconds=env.int("CHECK_SECONDS", default=300))
HEARTBEAT_SECONDS = 5.0  # how often a step that runs shows that its worker lives
SECRET_KEY = get_random_secret_key()  # nothing here signs a cookie; the web's key stays with the web
INSTALLED_APPS = [*CORE_APPS, *(["django_rq"] if REDIS_URL else [])]
