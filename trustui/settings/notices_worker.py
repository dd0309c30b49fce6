"""The notices worker: it sends mails and webhooks. It opens no key and has no Docker socket."""

from __future__ import annotations

import json

from trustui.settings.environment import env, secret, secret_key_bytes
from trustui.settings.mail import *  # noqa: F403  where mail goes
from trustui.settings.worker import *  # noqa: F403  this is the worker with additions

SEALING_PUBLIC_KEYS = json.loads(secret("SEALING_PUBLIC_KEYS"))
SEALING_RECIPIENT = "notices"
SEALING_PRIVATE_KEY = secret_key_bytes("NOTICES_WORKER_KEY")
DIGEST_HOUR = env.int("DIGEST_HOUR", default=6)  # UTC
# Webhooks may go to private networks, where self-hosted receivers are, but to this machine itself only if this is set.
WEBHOOKS_TO_THIS_MACHINE = env.bool("WEBHOOKS_TO_THIS_MACHINE", default=False)
