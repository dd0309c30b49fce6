"""The docker worker: it has the Docker socket and opens no key, only the registries' passwords."""

from __future__ import annotations

import json

from trustui.settings.environment import env, secret, secret_key_bytes
from trustui.settings.worker import *  # noqa: F403  this is the worker with additions

SEALING_PUBLIC_KEYS = json.loads(secret("SEALING_PUBLIC_KEYS"))
SEALING_RECIPIENT = "docker"
SEALING_PRIVATE_KEY = secret_key_bytes("DOCKER_WORKER_KEY")
DOCKER_HOST = env.str("DOCKER_HOST", default="")
