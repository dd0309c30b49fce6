"""The scheduler: it says when work is due and can do none of it."""

from __future__ import annotations

from trustui.settings.worker import *  # noqa: F403  this is the worker without any secret
from trustui.settings.worker import REDIS_URL, queues

RQ_QUEUES = queues(REDIS_URL, patience=5)  # it says so when Redis is silent
